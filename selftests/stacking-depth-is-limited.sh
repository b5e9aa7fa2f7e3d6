#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a dimgblk on a dimgblk works up to a depth of 8 and is refused with ELOOP
# beyond it (D3).
# Broken: a stack of devices that overflows the kernel's stack.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
attach --direct-io=off disk.img
for ((depth = 2; depth <= 8; depth++)); do
	attach --direct-io=off "$DEV"
	top=$DEV
done
check "depth 8 reads the image" cmp disk.img "$top"
check "and writes it" blkop -d "$top" write:0:4K:8 fsync
kernel_refuses ELOOP nl-send attach backing-fd=9 direct=0 9<>"$top"
kernel_refuses ELOOP nl-send attach backing-fd=9 9<"$top"
check_match "the tool tells the limit" '8' "$(dimgsetup attach -r "$top" 2>&1 || true)"
while [ "${#DEV}" -gt 0 ]; do
	n=$(index_of "$DEV")
	detach "$DEV" || die "detach of depth $((n + 1))"
	[ "$n" -gt 0 ] || break
	DEV=/dev/dimgblk$((n - 1))
done
check "all gone" nothing_attached
check "the bytes went all the way down" blkop disk.img read:0:4K:8
