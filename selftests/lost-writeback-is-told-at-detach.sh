#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: when buffered bytes could not be written back, the strict detach that
# syncs the image does not return success: the device is gone, the error is told.
# Broken: detach 0 and an image that lacks acknowledged bytes.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command dmsetup
modprobe dm-mod || skip "no device mapper"
scratch_disk 1
sectors=$(blockdev --getsz "$DISK")
echo "0 $sectors linear $DISK 0" | dmsetup create dimgblk-bad
defer dmsetup remove --retry dimgblk-bad
make_fs ext2 /dev/mapper/dimgblk-bad
mount_at /dev/mapper/dimgblk-bad "$TMP/mnt"
make_image mnt/disk.img 8M
sync
attach --direct-io=off mnt/disk.img
check "write into the page cache" blkop -d "$DEV" read:1M:64K:1 write:1M:64K:2
udevadm settle
dmsetup suspend --nolockfs --noflush dimgblk-bad
echo "0 $sectors error" | dmsetup load dimgblk-bad
dmsetup resume dimgblk-bad
refused 7 'I/O error|Input/output' dimgsetup detach "$DEV"
check "the device is gone all the same" is_gone "$DEV"
