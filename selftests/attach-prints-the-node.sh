#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: attach prints the node and nothing else; the node is a block device of
# the image's size under the extended major, and detach takes it away.
# Broken: no or wrong output, a node that is missing, of another size, or stays.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
attach disk.img
check_match "stdout is one node" '^/dev/dimgblk[0-9]+$' "$DEV"
check_equal "one line" 1 "$(wc -l <<<"$DEV")"
check_equal "extended major" 259 "$((0x$(stat -c %t "$DEV")))"
check_equal "size" $((4 << 20)) "$(blockdev --getsize64 "$DEV")"
check_equal "writable" 0 "$(blockdev --getro "$DEV")"
check "the bytes are the image's" cmp disk.img "$DEV"
check "udev has seen it" udevadm info --query=property --name="$DEV"

check "detach" detach "$DEV"
check "node and sysfs are gone" is_gone "$DEV"
check "the driver lists nothing" nothing_attached
