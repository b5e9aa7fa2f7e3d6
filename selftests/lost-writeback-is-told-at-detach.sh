#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: when buffered bytes could not be written back, the strict detach that
# syncs the image does not return success: the device is gone, the error is told; with
# nobody to return it to, the log and the event of the detach tell.
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
dmesg_mark
refused 7 'I/O error|Input/output' dimgsetup detach "$DEV"
check "the device is gone all the same" is_gone "$DEV"
told='last sync of the backing file failed .errno 5.: recent writes may be lost'
check_match "the log has it, too" "${DEV#/dev/}: the $told" "$(dmesg_since_mark)"

mapped_disk_is_well
release_mount "$MNT"
mount "$MAPPED" "$MNT"
attach --direct-io=off mnt/disk.img
check "write into the page cache" blkop -d "$DEV" read:1M:64K:1 write:1M:64K:3
udevadm settle
dimgsetup monitor >events 2>listening &
monitor=$!
defer stop $monitor
wait_for 10 grep -q listening listening
exec 8<"$DEV"
detach --lazy "$DEV"
mapped_disk_fails
dmesg_mark
exec 8<&-
check "it ends with its last user" wait_for 10 is_gone "$DEV"
check_match "the log tells" "${DEV#/dev/}: the $told" "$(dmesg_since_mark)"
check "so does the event" wait_for 5 grep -Eq "^detach .*${DEV#/dev/}.* error=-5" events
