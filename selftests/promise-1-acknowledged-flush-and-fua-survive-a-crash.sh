#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# requires-cpus: 2
# Claim: what a FLUSH or a FUA write acknowledged is there after a crash of the
# backing file system, and a flush reaches the disk below. The crash is the
# shutdown ioctl, which throws away all that was not yet made durable.
# Broken: a flush that does nothing, a FUA flag that is dropped. The unflushed
# write, which has to be lost, shows that the crash is one.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_disk 1
mkdir mnt upper

# Lower file system with a 4 MiB image of fully written blocks.
begin()
{
	make_fs ext4 "$DISK"
	mount "$DISK" mnt
	make_image mnt/disk.img 4M 1
	sync -f mnt
	attach "$@" mnt/disk.img
}

crash()
{
	blkop -r mnt goingdown
	dimgsetup detach --force "$DEV" >/dev/null 2>&1 || true
	wait_for 20 is_gone "$DEV"
	! mountpoint -q upper || umount upper
	umount mnt
	mount "$DISK" mnt
}

# flushes DEVICE: how many it was sent so far.
flushes()
{
	awk '{ print $16 }' "/sys/block/${1#/dev/}/stat"
}

# Does a FUA write of the bytes that are there already come without a flush?
writes_fua_alone()
{
	local before
	before=$(flushes "$DEV")
	blkop -d upper/file dsync:64K:64K:4 && [ "$(flushes "$DEV")" = "$before" ]
}

# once_in N COMMAND...: does it succeed once in N times?
once_in()
{
	local n
	for ((n = $1; n > 0; n--)); do
		! "${@:2}" || return 0
	done
	return 1
}

defer release_mount "$TMP/mnt"
defer release_mount "$TMP/upper"
for mode in off on; do
	begin --direct-io=$mode
	check_equal "FUA is native" 1 "$(sysfs "$DEV" queue/fua)"
	before=$(flushes "$DISK")
	check "direct=$mode: write, flush" blkop -d "$DEV" write:1M:64K:3 fsync
	check "the disk below was flushed" test "$(flushes "$DISK")" -gt "$before"
	check "write into a hole of the file, flush" \
		blkop -d "$DEV" discard:2M:1M write:2M:64K:5 fsync
	check "write without flush" blkop -d "$DEV" write:0:64K:2
	crash
	check "flushed bytes are there" blkop mnt/disk.img read:1M:64K:3
	check "in the former hole too" blkop mnt/disk.img read:2M:64K:5
	[ $mode = on ] ||
		check "unflushed ones are lost: the crash is one" blkop mnt/disk.img read:0:64K:1
	umount mnt

	# write(2) to a node sends a flush after each FUA write; a file system that
	# overwrites its own blocks sends the FUA write alone. Its journal may commit
	# beside it, now and then, which flushes too: one quiet write in ten will do.
	begin --direct-io=$mode
	make_fs ext4 "$DEV" -E lazy_itable_init=0,lazy_journal_init=0
	mount -o commit=300 "$DEV" upper
	truncate -s 256K upper/file
	blkop upper/file write:0:256K:1 fsync
	sync -f upper
	before=$(flushes "$DISK")
	check "direct=$mode: FUA write" blkop -d upper/file dsync:64K:64K:4
	check "the disk below was flushed for it" test "$(flushes "$DISK")" -gt "$before"
	check "it came without a flush" once_in 10 writes_fua_alone
	crash
	attach mnt/disk.img
	mount -o ro "$DEV" upper	# replays the journal
	check "FUA bytes are there" blkop -r upper/file read:64K:64K:4
	umount upper
	detach "$DEV"
	umount mnt
done
