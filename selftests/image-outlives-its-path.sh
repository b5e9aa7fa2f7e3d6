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
mkdir all "$MNT/lower" "$MNT/upper" "$MNT/work"
for image in disk off on; do
	make_image "$MNT/lower/$image.img" 1M
done
mount -t overlay -o "lowerdir=$MNT/lower,upperdir=$MNT/upper,workdir=$MNT/work" overlay all
defer release_mount "$TMP/all"
# Direct I/O is had where the kernel closes what it opens for it.
for mode in off on; do
	dimgsetup attach -r --direct-io=$mode all/$mode.img >out 2>err || {
		check_match "overlay, direct=$mode: refused" 'direct I/O' "$(cat err)"
		continue
	}
	DEV=$(cat out)
	defer forget_device "$DEV" "$(sysfs "$DEV" diskseq)"
	touch all/$mode.img
	check "overlay, direct=$mode: copied up, reads work" blkop -r "$DEV" read:0:1M:1
	detach "$DEV"
done
attach all/disk.img
check "overlay: writes" blkop -d "$DEV" write:0:64K:3 fsync
detach "$DEV"
check "overlay: in the upper file" blkop "$MNT/upper/disk.img" read:0:64K:3
