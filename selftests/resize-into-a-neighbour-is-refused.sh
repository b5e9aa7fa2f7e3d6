#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a device does not grow over bytes that another writable device maps, and
# not when the image ends before its offset; then nothing changes.
# Broken: overlap by the back door.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 2M
attach -o 1M disk.img
first=$DEV
truncate -s 4M disk.img
attach -o 2M disk.img
kernel_refuses EBUSY nl-send set index="$(index_of "$first")" resize
check_fails "the tool refuses" dimgsetup resize "$first"
check_equal "the size is as before" $((1 << 20)) "$(blockdev --getsize64 "$first")"
detach "$DEV"
check "when it is gone, it works" dimgsetup resize "$first"
check_equal "grown" $((3 << 20)) "$(blockdev --getsize64 "$first")"
truncate -s 1M disk.img
kernel_refuses ERANGE nl-send set index="$(index_of "$first")" resize
check_equal "the size is as before" $((3 << 20)) "$(blockdev --getsize64 "$first")"
