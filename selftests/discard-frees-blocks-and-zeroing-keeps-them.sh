#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: a discard gives the blocks of the image back, zeroing without unmap keeps
# them allocated, so that later writes cannot run out of space (F2); all read as
# zeros, and bytes next to an odd range stay (F6).
# Broken: du grows or shrinks the wrong way, or a neighbour is zeroed.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
blocks()
{
	sync -f "$MNT"
	stat -c %b "$MNT/disk.img"
}

make_image "$MNT/disk.img" 8M
attach "$MNT/disk.img"
full=$(blocks)
check "zero range" blkop -d "$DEV" zerorange:1M:2M fsync zero:1M:2M
check "BLKZEROOUT" blkop -d "$DEV" zeroout:4M:1M fsync zero:4M:1M
check "the blocks are kept" test "$(blocks)" -ge "$full"
check "punch" blkop -d "$DEV" punch:1M:1M fsync zero:1M:1M
check "frees 1 MiB" test "$(blocks)" -le $((full - 2048 + 64))
check "discard" blkop -d "$DEV" discard:6M:1M fsync zero:6M:1M
check "frees 1 MiB more" test "$(blocks)" -le $((full - 4096 + 64))
check "discard of odd sectors" blkop -d "$DEV" discard:512:512 discard:7340544:1536 fsync
check "exactly those are zeros" blkop -d "$DEV" read:0:512:1 zero:512:512 read:1K:8K:1 \
	zero:7340544:1536
check "the next byte is not" blkop -d "$DEV" read:7342080:4K:1
check_equal "size of the file" $((8 << 20)) "$(stat -c %s "$MNT/disk.img")"
