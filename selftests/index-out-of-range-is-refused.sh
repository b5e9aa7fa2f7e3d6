#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: an index is usable from 0 to 2^20 - 1 and refused with ERANGE above, so
# that no minor number wraps around to another device (B10).
# Broken: a huge index truncated to a small one, or sysfs names that clash.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
for i in 1048576 1048577 2147483647 2147483648 4294967295; do
	kernel_refuses ERANGE nl-send attach backing-fd=9 index=$i 9<>disk.img
done
check_fails "the tool refuses it too" dimgsetup attach --index 1048576 disk.img
check_fails "and a negative one" dimgsetup attach --index -1 disk.img
check "nothing came into being" nothing_attached

attach --index 1048575 disk.img
check_equal "the largest index" /dev/dimgblk1048575 "$DEV"
check "works" cmp disk.img "$DEV"
