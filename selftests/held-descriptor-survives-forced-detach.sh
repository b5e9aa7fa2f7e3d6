#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a descriptor kept open across a forced detach can be read, written,
# asked and closed; it never reaches another device, and the module stays until
# it is closed (I3).
# Broken: use after free of the disk.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
make_image other.img 1M 2
attach --index 4 disk.img
exec 8<>"$DEV"
detach --force "$DEV"
attach other.img
for _ in 1 2 3; do
	check_equal "reads nothing" 0 "$(dd bs=4k count=1 iflag=direct 2>/dev/null <&8 | wc -c || true)"
	check_fails "cannot write" sh -c "dd if=/dev/zero bs=4k count=1 oflag=direct >&8"
	blockdev --getsize64 --flushbufs /dev/fd/8 >/dev/null 2>&1 || true
done
check "the new device is untouched" cmp other.img "$DEV"
check_fails "the module stays" modprobe -r dimgblk
exec 8>&-
detach "$DEV"
check "and goes after the close" wait_for 5 modprobe -r dimgblk
modprobe dimgblk
