#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: fdisk, sfdisk, parted and sgdisk create, delete and resize partitions of
# /dev/dimgblkN (-P); table, sysfs, nodes and udev tell the same right after each;
# a partition takes a file system, and another attach shows all of it again.
# Broken: nodes that stay or stay away until the next attach, "device is busy".
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/partitions.sh"
requires_command fdisk sfdisk parted sgdisk

# tool TEXT NUMBERS COMMAND...: afterwards the partitions are NUMBERS.
tool()
{
	local text=$1 numbers=$2
	shift 2
	udevadm settle
	check "$text" "$@"
	check "  all agree: $numbers" partitions_agree "$DEV" "$numbers"
}

fdisk_does()
{
	printf '%s\n' "$@" | fdisk --wipe never "$DEV"
}

truncate -s 64M disk.img
attach -P disk.img
tool "fdisk makes a GPT with two" "1 2" fdisk_does g n 1 '' +8M n 2 '' +8M w
tool "fdisk deletes one" 1 fdisk_does d 2 w
tool "sfdisk appends one" "1 2" sfdisk -q --append "$DEV" <<<size=16M
tool "sfdisk makes it larger" "1 2" sfdisk -q -N 2 "$DEV" <<<,20M
tool "parted adds one" "1 2 3" parted -s "$DEV" mkpart three 40MiB 48MiB
tool "parted makes it larger" "1 2 3" parted -s "$DEV" resizepart 3 52MiB
check_equal "to 12 MiB" 24576 "$(sysfs "$DEV" "${DEV#/dev/}p3/size")"

make_fs ext4 "${DEV}p2"
mount_at "${DEV}p2" "$TMP/part"
echo partition 2 >part/file
tool "parted adds one while another is mounted" "1 2 3 4" \
	parted -s "$DEV" mkpart four 52MiB 56MiB
tool "parted removes one meanwhile" "1 2 4" parted -s "$DEV" rm 3
check_fails "and leaves the mounted one alone" parted -s "$DEV" rm 2
umount part
tool "sgdisk deletes one" "1 2" sgdisk -d 4 "$DEV"
tool "sgdisk adds one" "1 2 5" sgdisk -n 5:0:+4M "$DEV"
tool "sfdisk deletes it" "1 2" sfdisk -q --delete "$DEV" 5
table=$(partitions_in_table "$DEV")
detach "$DEV"
check_equal "no node is left" "" "$(compgen -G '/dev/dimgblk*' || true)"

attach -P disk.img
check "attached again: all agree" partitions_agree "$DEV" "1 2"
check_equal "as before" "$table" "$(partitions_in_table "$DEV")"
mount -o ro "${DEV}p2" part
check_equal "with the file" "partition 2" "$(cat part/file)"
umount part
check "the file system is clean" e2fsck -fn "${DEV}p2"
