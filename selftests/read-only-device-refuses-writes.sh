#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a device on a read-only descriptor, or attached with -r, stays read-only:
# no write, discard or zeroing passes, not even one from inside the kernel, which the
# block layer lets through; and BLKROSET cannot lift it (L1).
# Broken: the image changes, or the kernel writes through an O_RDONLY descriptor.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e "$SELFTESTS/modules/hold.ko" ] || skip "modules/hold.ko is not built"
make_image disk.img 2M
cp disk.img before.img

try_to_write()
{
	check_equal "$1: read-only" 1 "$(blockdev --getro "$DEV")"
	check_equal "$1: in sysfs" 1 "$(sysfs "$DEV" ro)"
	check_fails "$1: BLKROSET 0 is refused" blockdev --setrw "$DEV"
	check_equal "$1: still read-only" 1 "$(blockdev --getro "$DEV")"
	for op in write:0:4K:9 dsync:0:4K:9 discard:0:4K zeroout:0:4K \
		zerorange:0:4K punch:0:4K; do
		check_fails "$1: $op" blkop "$DEV" $op fsync
		check_fails "$1: $op, direct" blkop -d "$DEV" $op
	done
	insmod "$SELFTESTS/modules/hold.ko" path="$DEV" write=1
	check "$1: a write from inside the kernel" \
		test "$(cat /sys/module/hold/parameters/answer)" -gt 0
	rmmod hold
	check "$1: reads work" cmp before.img "$DEV"
	detach "$DEV"
	check "$1: the image is untouched" cmp before.img disk.img
}

attach -r disk.img
try_to_write "-r"

n=$(field index "$(nl-send attach backing-fd=9 9<disk.img)")
DEV=/dev/dimgblk$n
defer forget_device "$DEV" "$(sysfs "$DEV" diskseq)"
try_to_write "O_RDONLY descriptor"

attach disk.img
check_equal "the next attach is writable" 0 "$(blockdev --getro "$DEV")"
