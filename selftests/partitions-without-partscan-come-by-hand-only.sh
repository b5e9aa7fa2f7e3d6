#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: without -P the kernel never reads a partition table, not when asked to
# either (BLKRRPART: EINVAL), while partprobe and partx add what they read
# themselves; these partitions work, and go with the device.
# Broken: an image from elsewhere makes nodes that nobody asked for.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/partitions.sh"
requires_command sfdisk partprobe partx

truncate -s 16M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=4M\nsize=4M\n'
attach disk.img
check_equal "partscan is off" 0 "$(sysfs "$DEV" dimgblk/partscan)"
check_match "rereading the table is refused" "BLKRRPART: Invalid argument" \
	"$(blockdev --rereadpt "$DEV" 2>&1 || true)"
check_equal "no partition" "" "$(partition_nodes "$DEV")"
check_match "sfdisk writes the table, and says what is missing" "partprobe" \
	"$(sfdisk --append "$DEV" <<<size=2M 2>&1 || true)"
check_equal "still none" "" "$(partition_nodes "$DEV")"
check "partprobe adds them" partprobe "$DEV"
check "all agree" partitions_agree "$DEV" "1 2 3"
make_fs ext4 "${DEV}p1"
mount_at "${DEV}p1" "$TMP/part"
refused 3 "${DEV}p1 is mounted on" dimgsetup detach "$DEV"
umount part
check "partx deletes one" partx -d --nr 3 "$DEV"
check_equal "two are left" "1 2" "$(partition_nodes "$DEV" | tr '\n' ' ' | sed 's/ $//')"
detach "$DEV"
check_equal "no node is left" "" "$(compgen -G '/dev/dimgblk*' || true)"
