#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: the logical block size is a power of two from 512 to the page size or
# refused; never one that is cut to 16 bits (B3).
# Broken: 0x20000400 accepted as 1024, or a device with a size it cannot address.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
for bs in 1 256 511 513 768 1536 4097 8192 65536 131072 536871936 2147483648 4294967295; do
	kernel_refuses 'EINVAL|ERANGE' \
		nl-send attach backing-fd=9 logical-block-size=$bs 9<>disk.img
done
check "nothing came into being" nothing_attached
refused 4 'block size' dimgsetup attach -b 768 disk.img

for bs in 512 1024 2048 4096; do
	attach -b $bs --direct-io=off disk.img
	check_equal "-b $bs" $bs "$(blockdev --getss "$DEV")"
	check_equal "-b $bs in sysfs" $bs "$(sysfs "$DEV" queue/logical_block_size)"
	check "-b $bs reads the image" cmp disk.img "$DEV"
	detach "$DEV"
done
