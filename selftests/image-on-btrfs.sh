#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: an image on btrfs is read and written exactly; its checksums stay right
# (K2); automatic direct I/O leaves it alone and says why.
# Broken: checksum errors, because pages change while they are written.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

modprobe -q btrfs || skip "no btrfs in this kernel"
scratch_fs btrfs
image_on btrfs off auto
make_image "$MNT/disk.img" 1M
for bs in 512 4096; do
	attach -b $bs --direct-io=auto "$MNT/disk.img"
	check_equal "auto is buffered, with blocks of $bs" 0 "$(sysfs "$DEV" dimgblk/dio)"
	check_match "and tells why" '.{10,}' "$(sysfs "$DEV" dimgblk/direct_reason)"
	detach "$DEV"
done
attach -b 4096 --direct-io=on "$MNT/disk.img"
check_equal "who insists gets it" 1 "$(sysfs "$DEV" dimgblk/dio)"
detach "$DEV"
umount "$MNT"
check "btrfs check, data too" btrfs check --check-data-csum "$DISK"
