#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a wanted index (--index, --device) is the one that is used, a taken one
# is refused as busy, and without a wish the lowest free one is taken.
# Broken: another number, or a second device in the first one's place.
. "$(dirname "$0")/lib/dimgblk.sh"

for i in 1 2 3 4; do make_image $i.img 1M $i; done
attach --index 7 1.img
check_equal "--index 7" /dev/dimgblk7 "$DEV"
attach -d /dev/dimgblk1 2.img
check_equal "-d /dev/dimgblk1" /dev/dimgblk1 "$DEV"
attach 3.img
check_equal "lowest free" /dev/dimgblk0 "$DEV"

refused 3 'dimgblk7|index 7' dimgsetup attach --index 7 4.img
kernel_refuses EEXIST nl-send attach backing-fd=9 index=7 9<>4.img
check "the first one still has its index" cmp 1.img /dev/dimgblk7

attach 4.img
check_equal "lowest free, again" /dev/dimgblk2 "$DEV"
