#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: on an image of 8 TiB every sector is at its own place: no 32-bit shift,
# no wrap (B13); and discarding all of it takes no time (B14).
# Broken: two sectors that share bytes.
. "$(dirname "$0")/lib/dimgblk.sh"

size=$((8 << 40))
truncate -s $size disk.img || skip "no sparse files of 8 TiB here"
attach --direct-io=off disk.img
check_equal "size" $size "$(blockdev --getsize64 "$DEV")"
writes=() reads=() i=1
for shift in 20 30 31 32 33 39 40 41 42; do
	for at in $(((1 << shift) - 512)) $((1 << shift)); do
		writes+=("write:$at:512:$i") reads+=("read:$at:512:$i") i=$((i + 1))
	done
done
writes+=("write:$((size - 512)):512:99") reads+=("read:$((size - 512)):512:99")
check "write at each power of two" blkop -d "$DEV" "${writes[@]}"
check "each is where it was put" blkop -d "$DEV" "${reads[@]}"
check "in the file, too" blkop disk.img "${reads[@]}"
check "discard of it all" timeout 15 blkop "$DEV" discard:0:8T
check "reads zeros" blkop -d "$DEV" zero:0:512 zero:4T:512 "zero:$((size - 512)):512"
check "nothing is allocated" test "$(stat -c %b disk.img)" -lt 64
