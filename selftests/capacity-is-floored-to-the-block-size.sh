#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: of an image whose size is no multiple of the logical block size the last
# bytes are not on the device and never change; the tool says so (B7).
# Broken: a last block that reaches past the end, or a file that grows.
. "$(dirname "$0")/lib/dimgblk.sh"

# floor EXTRA BLOCK SIZE
floor()
{
	make_image disk.img $((1048576 + $1))
	cp disk.img before.img
	attach --direct-io=off -b "$2" disk.img 2>stderr
	check_equal "1M+$1 in blocks of $2" "$3" "$(blockdev --getsize64 "$DEV")"
	check_match "told" "($(($1 % $2)) bytes|ignored|multiple)" "$(cat stderr)"
	check "last block is writable" \
		blkop -d "$DEV" "write:$(($3 - $2)):$2:9" "read:$(($3 - $2)):$2:9"
	check_fails "and nothing after it" blkop "$DEV" "write:$3:512:9"
	detach "$DEV"
	check_equal "the file did not grow" $((1048576 + $1)) "$(stat -c %s disk.img)"
	check "bytes before" cmp -n $(($3 - $2)) before.img disk.img
	check "bytes after" cmp -i "$3" before.img disk.img
}

floor 511 512 1048576
floor 513 512 1049088
floor 4095 512 1052160
floor 511 4096 1048576
floor 4095 4096 1048576
