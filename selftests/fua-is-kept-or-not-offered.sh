#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# Claim: a device offers FUA only where the file system makes such a write durable; on
# others the block layer sends a flush after it, which reaches the file (promise 1).
# Broken: the commit of a journal is acknowledged, and FUSE or a network file system
# has not been told to keep it.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

# A write to a file of a file system on the device, on blocks that are there already, is
# sent as a lone FUA write if the device offers it.
for cache in '' -d; do
	# shellcheck disable=SC2086 # a word or none
	liar_mount $cache 16M
	for mode in off on; do
		attach_lies -b 4096 --direct-io=$mode
		udevadm settle
		check_equal "liar $cache, direct=$mode: not offered" 0 "$(sysfs "$DEV" queue/fua)"
		make_fs ext4 "$DEV"
		mount_at "$DEV" "$TMP/upper"
		make_image upper/file 1M 6
		sync
		answers "fsync EIO"
		check_fails "its fsync is asked for" blkop -d upper/file dsync:64K:64K:4
		truth_only
		umount upper
		detach "$DEV" 2>/dev/null || wait_for 10 is_gone "$DEV"
	done
	umount lies
done

scratch_disk 1
for type in ext4 xfs vfat; do
	offered=1
	[ $type != vfat ] || offered=0
	modprobe -q $type || continue
	make_fs $type "$DISK"
	mount_at "$DISK" "$TMP/mnt"
	make_image mnt/disk.img 1M
	attach mnt/disk.img
	check_equal "$type: offered where it is kept" $offered \
		"$(sysfs "$DEV" queue/fua)"
	detach "$DEV"
	umount mnt
done
attach "$DISK"
check_equal "a disk: offered" 1 "$(sysfs "$DEV" queue/fua)"
