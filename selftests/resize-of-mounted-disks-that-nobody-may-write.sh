#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# boot-option: bdev_allow_write_mounted=0
# requires-disk: 512M
# Claim: on a kernel that lets nobody write to a mounted disk, resize --all of an ext4 that
# is mounted is refused with that reason, before anything has changed; all else is done.
# Broken: the image is larger, and the user is told to detach another device.
. "$(dirname "$0")/lib/dimgblk.sh"

# has_all DIR: its file system was 16M
has_all() { test "$(df --output=size -B1M "$1" | tail -1)" -gt 24; }

# sizes NODE: of image, device, node and table. Not the bytes, as ext4 writes when it likes.
sizes()
{
	stat -c %s disk.img
	blockdev --getsize64 "$DEV" "$1"
	sfdisk -d disk.img 2>/dev/null || true
}

# resized_mounted NODE: of an ext4, 16M large
resized_mounted()
{
	local status=0 before

	mount_at "$1" "$TMP/upper"
	dd if=/dev/zero of="$1" count=0 status=none conv=notrunc 2>/dev/null || status=$?
	if [ $status = 0 ]; then
		note "this kernel lets mounted disks be written (before 6.8, or by its options)"
		check "mounted, it is done" dimgsetup resize --all "$DEV" +16M
	else
		before=$(sizes "$1")
		refused 3 'lets nobody write to a mounted disk' dimgsetup resize --all "$DEV" +16M
		check_equal "the image, the device and what is on it are as they were" \
			"$before" "$(sizes "$1")"
		umount "$TMP/upper"
		check "unmounted, it is done" dimgsetup resize --all "$DEV" +16M
		mount "$1" "$TMP/upper"
	fi
	check "all of it is there" has_all "$TMP/upper"
	umount "$TMP/upper"
}

truncate -s 16M disk.img
make_fs ext4 disk.img
attach disk.img
resized_mounted "$DEV"
detach "$DEV"
check "not attached, it is done" dimgsetup resize --all disk.img +16M

truncate -s 18M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=16M\n'
attach -P disk.img
make_fs ext4 "${DEV}p1"
resized_mounted "${DEV}p1"
detach "$DEV"

scratch_fs ext4
truncate -s 300M "$MNT/xfs.img"
make_fs xfs "$MNT/xfs.img"
attach "$MNT/xfs.img"
check "an xfs, unmounted" dimgsetup resize --all "$DEV" +16M
mount_at "$DEV" "$TMP/upper"
check "and mounted" dimgsetup resize --all "$DEV" +16M
check_equal "it has what was added" 332 "$(xfs_info "$TMP/upper" |
	sed -n 's/^data .* bsize=4096 *blocks=\([0-9]*\).*/\1/p' | awk '{ print $1 / 256 }')"
umount "$TMP/upper"
detach "$DEV"
