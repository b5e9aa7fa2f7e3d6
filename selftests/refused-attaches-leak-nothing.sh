#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: hundreds of refused attaches, of each kind, leave no reference to the
# image and none to the module (A11).
# Broken: one fput forgotten on one error label.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 2M
attach "$MNT/disk.img"
refs=$(cat /sys/module/dimgblk/refcnt)
accepted=0
for i in {1..12}; do
	for a in offset=511 offset=4194304 size-limit=7 logical-block-size=3 \
		"offset=512 logical-block-size=4096" name=a/b index=2000000 "index=$(index_of "$DEV")" \
		queue-depth=9999 nr-hw-queues=9999 direct=9 index=$i; do
		# shellcheck disable=SC2086
		! nl-send attach backing-fd=9 $a 9<>"$MNT/disk.img" >/dev/null ||
			accepted=$((accepted + 1))
	done
	! nl-send attach backing-fd=9 9>>"$MNT/disk.img" >/dev/null || accepted=$((accepted + 1))
	! nl-send attach backing-fd=9 9<"$MNT" >/dev/null || accepted=$((accepted + 1))
done
check_equal "accepted" 0 $accepted
check_equal "module references" "$refs" "$(cat /sys/module/dimgblk/refcnt)"
detach "$DEV"
check "the file system is free" umount "$MNT"
check "the module is free" modprobe -r dimgblk
modprobe dimgblk
