#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# Claim: no request touches a byte outside [offset, offset + size): after random
# reads, writes, FUA writes, flushes, discards and both write-zeroes the whole
# file, random neighbours included, equals a model that never saw the driver.
# Broken: a discard rounded outwards, an offset added twice, a lost limit.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
# run DIRECT BLOCK OFFSET LIMIT SEED COUNT
run()
{
	local what="direct=$1, blocks of $2, [$3, +$4)"
	make_image "$MNT/disk.img" 6M "$5"
	cp "$MNT/disk.img" model.img
	attach --direct-io="$1" -b "$2" -o "$3" --sizelimit "$4" "$MNT/disk.img"
	check "$what: $6 operations" model "$DEV" model.img "$3" "$4" "$5" "$6" "$2"
	check "$what: the edges" blkop -d "$DEV" write:0:4K:8 "write:$(($4 - 4096)):4K:9" \
		"discard:$(($4 - 8192)):4K" zeroout:4K:4K fsync
	for op in "write:$4:$2:7" "discard:$4:$2" "zeroout:$4:$2" "write:$(($4 - $2)):$((2 * $2)):7"; do
		check_fails "$what: $op is refused or cut" blkop -d "$DEV" "$op"
	done
	dd if="$DEV" of=model.img bs=64K conv=notrunc oflag=seek_bytes seek="$3" status=none
	detach "$DEV"
	check "$what: before the window" cmp -n "$3" model.img "$MNT/disk.img"
	check "$what: after it" cmp -i $(($3 + $4)) model.img "$MNT/disk.img"
	check "$what: within" cmp model.img "$MNT/disk.img"
	check_equal "$what: size of the file" 6291456 "$(stat -c %s "$MNT/disk.img")"
}

run off 512 1049088 3145728 11 150
run off 512 512 6290432 12 100
run on 512 1049088 3145728 13 150
run off 4096 1052672 3145728 14 60
run on 4096 1052672 3145728 15 60
