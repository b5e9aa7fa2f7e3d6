#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: a strict detach whose last sync takes long says so, waits for the end
# and then reports the truth; meanwhile the kernel serves other requests.
# Broken: exit 0 while the image is not synced, or silence for minutes.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command dmsetup
modprobe dm-mod || skip "no device mapper"
scratch_disk 1
sectors=$(blockdev --getsz "$DISK")
echo "0 $sectors linear $DISK 0" | dmsetup create dimgblk-slow
defer dmsetup remove --retry dimgblk-slow
make_fs ext2 /dev/mapper/dimgblk-slow
mount_at /dev/mapper/dimgblk-slow "$TMP/mnt"
make_image mnt/disk.img 4M
sync
attach --direct-io=off mnt/disk.img
check "a write that is not durable yet" blkop -d "$DEV" write:1M:64K:7

defer dmsetup resume dimgblk-slow
dmsetup suspend --nolockfs dimgblk-slow
dimgsetup detach "$DEV" >detach.log 2>&1 &
detaching=$!
says_so() { grep -q "does not answer" detach.log; }
check "it says what it waits for" wait_for 30 says_so
check "it is still waiting" kill -0 $detaching
check_match "list shows the stage" "detaching" \
	"$(timeout 10 dimgsetup list -n -o STATE)"
dmsetup resume dimgblk-slow
check_child "exit 0 once the disk answers" $detaching
check "the device is gone" is_gone "$DEV"
check "the write is in the image" blkop mnt/disk.img read:1M:64K:7
