#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: a device on a disk that goes from direct I/O to the page cache shows what was
# written, though somebody has read the same bytes from the disk while they were written.
# Broken: the old bytes are read, and written back with the next write to that page.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command dmsetup
modprobe -q dm-delay || skip "no dm-delay in this kernel"
scratch_disk 1
size=$(blockdev --getsz "$DISK")
# Reads at once, writes after two seconds.
dmsetup create slow --table "0 $size delay $DISK 0 0 $DISK 0 2000"
defer dmsetup remove --retry slow
udevadm settle
blkop -d /dev/mapper/slow write:0:64K:1
attach --direct-io=on --sizelimit 1M /dev/mapper/slow
check "read past the cache" blkop -d "$DEV" read:0:64K:1
blkop -d "$DEV" write:4K:4K:2 >/dev/null &
writer=$!
check "a write is under way" wait_for 5 in_flight "$DEV"
check "who reads meanwhile has the old bytes" blkop -r /dev/mapper/slow read:0:64K:1
check_child "it is written" $writer
check "direct I/O goes" dimgsetup set --direct-io=off "$DEV"
check "the new bytes are read" blkop "$DEV" read:4K:4K:2
check "a write to the same page" blkop -d "$DEV" write:4K:512:3 read:4608:3584:2
check "a flush" blkop "$DEV" fsync
detach "$DEV"
check "all is on the disk" blkop -d "$DISK" read:0:4K:1 read:4K:512:3 read:4608:3584:2 read:8K:56K:1
