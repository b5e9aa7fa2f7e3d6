#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: GPT in 512- and 4096-byte sectors, MBR with logical partitions and numbers
# up to 255 become nodes with the right bytes; a number above has no node.
# Broken: a 4096-byte GPT read as garbage, p5 at p1's place, numbers that wrap.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/partitions.sh"
requires_command sfdisk sgdisk

# pattern_in N: a pattern written to partition N is at its start in the image.
pattern_in()
{
	local start
	start=$(sysfs "$DEV" "${DEV#/dev/}p$1/start")
	blkop "${DEV}p$1" "write:0:8K:$1" fsync &&
		dd if=disk.img of=bytes bs=512 skip="$start" count=16 status=none &&
		blkop bytes "read:0:8K:$1"
}

truncate -s 32M disk.img
attach -P disk.img
sfdisk -q "$DEV" <<<$'label: dos\nsize=2M\nsize=2M\nsize=2M\ntype=5\nsize=2M\nsize=4M\nsize=2M\n'
check "MBR: three primary, one extended, three logical" \
	partitions_agree "$DEV" "1 2 3 4 5 6 7"
for nr in 1 5 6 7; do
	check "MBR: p$nr is in its place" pattern_in $nr
done
sfdisk -q --delete "$DEV" 5
check "MBR: deleting p5 moves p6 and p7 down, as always" \
	partitions_agree "$DEV" "1 2 3 4 5 6"
sfdisk -q --delete "$DEV"

sgdisk -og --resize-table=300 -n 1:0:+1M -n 128:0:+1M -n 129:0:+1M -n 255:0:+1M \
	"$DEV" >/dev/null
check "GPT: up to 255 of a long table" partitions_agree "$DEV" "1 128 129 255"
check "GPT: p255 is in its place" pattern_in 255
sgdisk -n 256:0:+1M -n 300:0:+1M "$DEV" >/dev/null || true
udevadm settle
check_equal "GPT: above that the kernel makes none" "1 128 129 255" \
	"$(partition_nodes "$DEV" | tr '\n' ' ' | sed 's/ $//')"
detach "$DEV"

truncate -s 0 disk.img
truncate -s 32M disk.img
attach -P -b 4096 disk.img
sfdisk -q "$DEV" <<<$'label: gpt\nsize=4M\nsize=8M\n'
check "4096-byte GPT" partitions_agree "$DEV" "1 2"
check "4096-byte GPT: p2 is in its place" pattern_in 2
make_fs ext4 "${DEV}p1"
mount_at "${DEV}p1" "$TMP/part"
echo 4096 >part/file
umount part
detach "$DEV"
attach -P -b 4096 disk.img
check "4096-byte GPT: attached again" partitions_agree "$DEV" "1 2"
mount -o ro "${DEV}p1" part
check_equal "4096-byte GPT: with the file" 4096 "$(cat part/file)"
umount part
