#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: when buffered bytes could not be written back, the strict detach that
# syncs the image does not return success: the device is gone, the error is told.
# Broken: detach 0 and an image that lacks acknowledged bytes.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

mapped_fs ext2
make_image mnt/disk.img 8M
sync
attach --direct-io=off mnt/disk.img
check "write into the page cache" blkop -d "$DEV" read:1M:64K:1 write:1M:64K:2
udevadm settle
mapped_disk_fails
refused 7 'I/O error|Input/output' dimgsetup detach "$DEV"
check "the device is gone all the same" is_gone "$DEV"
