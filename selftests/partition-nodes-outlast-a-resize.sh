#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: while udev looks at a disk after resize has written it, and from then on, the
# nodes of its partitions are there: the next command finds them.
# Broken: now and then the node is missing for some milliseconds after a resize.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e /run/udev/control ] || skip "udev does not run"

dimgsetup create --gpt --mkfs=ext4 disk.img 32M
attach -P disk.img
udevadm settle
check "udev watches the disk" test -n \
	"$(readlink "/run/udev/watch/b$(lsblk -dno MAJ:MIN "$DEV" | tr -d ' ')")"
inode=$(stat -c %i "${DEV}p1")
for size in 36 40 44 48; do
	dimgsetup resize --all "$DEV" ${size}M
	check "$size MiB: open at once" test "$(blockdev --getsize64 "${DEV}p1")" -gt $(((size - 4) << 20))
done
dimgsetup resize --shrink --all "$DEV" 32M
check "smaller: open at once" blockdev --getsize64 "${DEV}p1"
udevadm settle
check_equal "the node was never taken away" "$inode" "$(stat -c %i "${DEV}p1")"
