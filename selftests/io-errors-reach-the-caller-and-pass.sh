#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: an error of the disk below reaches the reader and the writer of the
# device as EIO, is logged with the device's name, and is over when the disk is
# well again (G7).
# Broken: an error that is swallowed, or a device that stays poisoned.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command dmsetup
modprobe dm-mod || skip "no device mapper"
scratch_disk 1
sectors=$(blockdev --getsz "$DISK")
table() { echo "0 $sectors $1"; }
swap_table()
{
	dmsetup suspend --nolockfs --noflush dimgblk-bad
	table "$1" | dmsetup load dimgblk-bad
	dmsetup resume dimgblk-bad
}
table "linear $DISK 0" | dmsetup create dimgblk-bad
defer dmsetup remove --retry dimgblk-bad
make_fs ext2 /dev/mapper/dimgblk-bad
mount_at /dev/mapper/dimgblk-bad "$TMP/mnt"
make_image mnt/disk.img 8M
sync
defer swap_table "linear $DISK 0"

for mode in on off; do
	attach --direct-io=$mode mnt/disk.img
	echo 1 >/proc/sys/vm/drop_caches
	blkop -d "$DEV" read:0:64K:1 >/dev/null	# block map into memory
	dmesg_mark
	swap_table error
	fails_with EIO blkop -d "$DEV" leak:4M:64K
	[ $mode = off ] || fails_with EIO blkop -d "$DEV" write:5M:64K:2
	[ $mode = on ] || fails_with EIO blkop -d "$DEV" write:5M:64K:2 fsync
	check_match "the log names the device" "${DEV#/dev/}" "$(dmesg_since_mark)"
	swap_table "linear $DISK 0"
	check "direct=$mode: well again" blkop -d "$DEV" read:4M:64K:1 write:5M:64K:1 fsync \
		read:5M:64K:1
	detach "$DEV"
done
