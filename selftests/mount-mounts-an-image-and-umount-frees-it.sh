#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-mem: 1536M
# Claim: "dimgsetup mount IMAGE DIR" is one step for ext4, xfs, btrfs and vfat; after
# umount, that of util-linux or ours, by directory, image or name, nothing is
# attached and the image has what was written.
# Broken: three steps to type, or devices that stay when their mounts are gone.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir dir
defer release_mount "$TMP/dir"

# on_type TYPE SIZE UMOUNT...: mount, write, unmount, look again.
on_type()
{
	local type=$1 size=$2
	shift 2
	modprobe -q "$type" || { note "no $type in this kernel"; return; }
	truncate -s "$size" "$type.img"
	make_fs "$type" "$type.img"
	check "$type: mount" dimgsetup mount --name "my-$type" "$type.img" dir
	check_match "$type: findmnt shows it" "^/dev/dimgblk[0-9]+ $type rw" \
		"$(findmnt -rno SOURCE,FSTYPE,OPTIONS dir)"
	blkop_create dir/file 1M
	check "$type: $*" "$@"
	check "$type: nothing is mounted" sh -c '! mountpoint -q dir'
	check "$type: nothing is attached" wait_for 10 nothing_attached
	[ "$type" != ext4 ] || look_again "$type"
	rm "$type.img"
}

# look_again TYPE: read-only.
look_again()
{
	local type=$1
	check "$type: mount read-only" dimgsetup mount -r "$type.img" dir
	check_match "$type: so it is" "^ro" "$(findmnt -rno OPTIONS dir)"
	check_equal "$type: the device, too" 1 "$(cat /sys/block/dimgblk*/ro)"
	check "$type: the bytes are there" blkop -r dir/file read:0:1M:6
	check "$type: umount frees it" umount dir
	check "$type: nothing is attached" wait_for 10 nothing_attached
}

blkop_create()
{
	truncate -s "$2" "$1" && blkop "$1" "write:0:$2:6" fsync
}

on_type ext4 32M umount dir
on_type xfs 320M dimgsetup umount dir
on_type btrfs 128M dimgsetup umount btrfs.img
on_type vfat 32M dimgsetup umount my-vfat

# the image is free at once, for a file system below it, too
mkdir lower
mount -t tmpfs tmpfs lower
defer release_mount "$TMP/lower"
truncate -s 16M lower/disk.img
make_fs ext4 lower/disk.img
dimgsetup mount -o noatime,discard lower/disk.img dir
check "umount of the image and of what it lies on" umount dir lower
check "nothing is attached" wait_for 10 nothing_attached
