#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: an immutable or append-only image cannot be attached for writing, not even
# through a descriptor opened before; read-only it can (L3).
# Broken: chattr +i protects the file from everyone but the block driver.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 1M
defer sh -c "! [ -e '$MNT/disk.img' ] || chattr -ia '$MNT/disk.img'"
for flag in i a; do
	exec 8<>"$MNT/disk.img"
	chattr +$flag "$MNT/disk.img"
	kernel_refuses EPERM nl-send attach backing-fd=8
	check_fails "+$flag: the tool refuses" dimgsetup attach "$MNT/disk.img"
	attach -r "$MNT/disk.img"
	check "+$flag: read-only is fine" cmp "$MNT/disk.img" "$DEV"
	detach "$DEV"
	chattr -$flag "$MNT/disk.img"
	exec 8>&-
done
