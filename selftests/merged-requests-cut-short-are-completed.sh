#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a request that was merged of many is completed when the file system below
# transfers a part of it, also one that ends inside a segment.
# Broken: the rest begins at the start of the segment, or of the request: bytes are in
# the wrong place, and nobody is told.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

requires_command fio

# batches read|write: 64 transfers of 4 KiB at a time, side by side, which become one.
batches()
{
	fio --name=batches --filename="$DEV" --direct=1 --ioengine=libaio --rw="$1" --bs=4k \
		--offset=1M --size=2M --iodepth=64 --iodepth_batch_submit=64 \
		--iodepth_batch_complete_min=64 --iodepth_batch_complete_max=64 --randseed=5 \
		--verify=crc32c --verify_fatal=1 --do_verify="$2" --verify_async=0 --minimal
}

# merges FIELD: of reads (2) or writes (6), counted by the block layer
merges()
{
	awk -v n="$1" '{ print $n }' "/sys/block/${DEV#/dev/}/stat"
}

liar_mount -d 8M
attach_lies --direct-io=off
for answer in odd short; do
	before=$(merges 6)
	answers "write $answer"
	check "writes, $answer" batches write 0
	check "they were merged" test $(($(merges 6) - before)) -gt 200
	truth_only
	check "all is where it belongs" batches read 1
	before=$(merges 2)
	answers "read $answer"
	check "reads, $answer" batches read 1
	check "they were merged, too" test $(($(merges 2) - before)) -gt 200
	truth_only
done
check "nothing else was touched" blkop -d "$DEV" zero:0:1M zero:4M:1M
detach "$DEV"
