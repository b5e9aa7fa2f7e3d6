#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: a strict detach whose last sync takes long says so, waits for the end
# and then reports the truth; meanwhile the kernel serves other requests.
# Broken: exit 0 while the image is not synced, or silence for minutes.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

mapped_fs ext2
make_image mnt/disk.img 4M
sync
attach --direct-io=off mnt/disk.img
check "a write that is not durable yet" blkop -d "$DEV" write:1M:64K:7

mapped_disk_hangs
dimgsetup detach "$DEV" >detach.log 2>&1 &
detaching=$!
says_so() { grep -q "does not answer" detach.log; }
check "it says what it waits for" wait_for 30 says_so
check "it is still waiting" kill -0 $detaching
check_match "list shows the stage" "detaching" \
	"$(timeout 10 dimgsetup list -n -o STATE)"
mapped_disk_answers
check_child "exit 0 once the disk answers" $detaching
check "the device is gone" is_gone "$DEV"
check "the write is in the image" blkop mnt/disk.img read:1M:64K:7
