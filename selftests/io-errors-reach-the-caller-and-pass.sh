#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 256M
# Claim: an error of the disk below reaches the reader and the writer of the
# device as EIO, is logged with the device's name, and is over when the disk is
# well again (G7).
# Broken: an error that is swallowed, or a device that stays poisoned.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

mapped_fs ext2
make_image mnt/disk.img 8M
sync
defer mapped_disk_is_well

for mode in on off; do
	attach --direct-io=$mode mnt/disk.img
	echo 1 >/proc/sys/vm/drop_caches
	blkop -d "$DEV" read:0:64K:1 >/dev/null	# block map into memory
	dmesg_mark
	mapped_disk_fails
	fails_with EIO blkop -d "$DEV" leak:4M:64K
	[ $mode = off ] || fails_with EIO blkop -d "$DEV" write:5M:64K:2
	[ $mode = on ] || fails_with EIO blkop -d "$DEV" write:5M:64K:2 fsync
	check_match "the log names the device" "${DEV#/dev/}" "$(dmesg_since_mark)"
	mapped_disk_is_well
	check "direct=$mode: well again" blkop -d "$DEV" read:4M:64K:1 write:5M:64K:1 fsync \
		read:5M:64K:1
	detach "$DEV"
done
