#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: on an auto-detach device umount(8) is all: when it has returned the file
# system below can be unmounted at once, and the node goes by itself (A4).
# Broken: loop's autoclear, for as long as it was asynchronous.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
truncate -s 8M "$MNT/disk.img"
make_fs ext4 "$MNT/disk.img"
mkdir upper
defer release_mount "$TMP/upper"
busy=0 left=0
for i in {1..8}; do
	mountpoint -q "$MNT" || mount "$DISK" "$MNT"
	attach --auto-detach "$MNT/disk.img"
	[ "$(sysfs "$DEV" dimgblk/autoclear)" = 1 ] || fail "not armed"
	mount "$DEV" upper
	echo "$i" >upper/file
	# One process, so that nothing gives the driver time in between.
	umount upper "$MNT" || busy=$((busy + 1))
	wait_for 10 is_gone "$DEV" || left=$((left + 1))
done
check_equal "lower unmounts of 8 that failed" 0 $busy
check_equal "devices that stayed" 0 $left
mount "$DISK" "$MNT"
check_equal "the last write is in the image" 8 "$(debugfs -R 'cat /file' "$MNT/disk.img" 2>/dev/null)"
