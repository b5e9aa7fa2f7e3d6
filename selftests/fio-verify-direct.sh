#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# requires-cpus: 2
# Claim: fio's checksums hold on a direct device for odd block sizes, at depths 1
# and 32, with writes, reads and trims mixed (G2).
# Broken: a split request loses or swaps a segment.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command fio
scratch_fs ext4
truncate -s 24M "$MNT/disk.img"
attach --direct-io=on "$MNT/disk.img"
for depth in 1 32; do
	check "depth $depth" fio --name=verify --filename="$DEV" --ioengine=libaio --direct=1 \
		--iodepth=$depth --rw=randrw --bssplit=512/20:1536/20:4k/20:33k/20:100k/20 \
		--bs_unaligned=0 --blockalign=512 --size=24M --io_size=6M --verify=crc32c \
		--verify_fatal=1 --do_verify=1 --randseed=7 --output-format=terse
	check "depth $depth, trims" fio --name=trim --filename="$DEV" --ioengine=libaio --direct=1 \
		--iodepth=$depth --rw=randtrimwrite --bs=24k --size=24M --io_size=3M --randseed=8 \
		--output-format=terse
done
check "through the page cache" fio --name=cached --filename="$DEV" --ioengine=psync --rw=randwrite \
	--bssplit=512/30:5k/30:63k/40 --size=24M --io_size=4M --verify=crc32c --verify_fatal=1 \
	--end_fsync=1 --randseed=9 --output-format=terse
