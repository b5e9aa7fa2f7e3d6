#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: a block device backs a device, whole or in part, buffered and direct,
# with the size the block layer tells, not stat (B5).
# Broken: a device of size zero, or neighbours overwritten.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_disk 1
size=$(blockdev --getsize64 "$DISK")
attach "$DISK"
check_equal "size" "$size" "$(blockdev --getsize64 "$DEV")"
check "block size at least the disk's" test "$(blockdev --getss "$DEV")" -ge "$(blockdev --getss "$DISK")"
detach "$DEV"

for mode in off on; do
	make_image model.img 4M 5
	dd if=model.img of="$DISK" bs=1M oflag=direct status=none
	attach --direct-io=$mode -o 1M --sizelimit 2M "$DISK"
	check "direct=$mode: random operations" model "$DEV" model.img 1M 2M 31 100
	detach "$DEV"
	check "direct=$mode: the disk is the model" cmp -n 4M model.img "$DISK"
done
refused 4 'block size' dimgsetup attach -b 256 "$DISK"

# blocks can be larger than those of the disk below, not smaller
attach -b 4096 "$DISK"
lower=$DEV
refused 4 'block size 512 is below the 4096' dimgsetup attach -b 512 "$lower"
attach "$lower"
check_equal "and are taken over" 4096 "$(blockdev --getss "$DEV")"
detach "$DEV"
detach "$lower"

# opened for writing before it became write-protected
exec 9<>"$DISK"
blockdev --setro "$DISK"
defer blockdev --setrw "$DISK"
kernel_refuses EACCES nl-send attach backing-fd=9
exec 9>&-
refused 5 'read-only|write-protected' dimgsetup attach "$DISK"
attach -r "$DISK"
check "read-only it can be had" cmp -n 4M model.img "$DEV"
detach "$DEV"
