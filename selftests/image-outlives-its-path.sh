#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: an attached image that is deleted, renamed, on a lazily unmounted file
# system or copied up by overlayfs goes on working, and detach works (L9).
# Broken: errors or a crash when the path no longer leads to the file.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
for fate in 'rm disk.img' 'mv disk.img other' 'umount -l .'; do
	make_image "$MNT/disk.img" 2M
	attach "$MNT/disk.img"
	(cd "$MNT" && $fate)
	check "$fate: reads and writes" blkop -d "$DEV" read:0:1M:1 write:1M:64K:2 fsync read:1M:64K:2
	check_match "$fate: is listed" "$DEV" "$(dimgsetup list)"
	detach "$DEV"
	check "$fate: gone" is_gone "$DEV"
done
mount "$DISK" "$MNT"
check "the file has the bytes" blkop "$MNT/disk.img" read:1M:64K:2

modprobe -q overlay || exit 0
mkdir -p o/lower o/upper o/work o/all
make_image o/lower/disk.img 1M
mount -t overlay -o lowerdir=o/lower,upperdir=o/upper,workdir=o/work overlay o/all
defer release_mount "$TMP/o/all"
attach -r o/all/disk.img
touch o/all/disk.img
check "overlay: copied up, reads work" blkop -r "$DEV" read:0:1M:1
detach "$DEV"
attach o/all/disk.img
check "overlay: writes" blkop -d "$DEV" write:0:64K:3 fsync
detach "$DEV"
check "overlay: in the upper file" blkop o/upper/disk.img read:0:64K:3
