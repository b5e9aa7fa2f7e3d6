#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
# Claim: resize --all makes file, device, GPT, last partition and file system
# larger in one command, mounted, attached or not; what is in it stays.
# Broken: a step is missing, so the room cannot be used, or files are lost.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

mkdir upper
defer release_mount "$TMP/upper"
fs_mib() { df --output=size -B1M upper | tail -1; }
table_is_sound() { grep -q 'No errors' <<<"$(sfdisk -V "$1" 2>&1)"; }

# fill NODE: files to find again; SUM
fill() {
	mount "$1" upper
	cp -r "$SELFTESTS/lib" upper/
	SUM=$(tree_sum upper)
}

# look NODE TYPE MIN-MIB: mounted or not, it has its files and the new size
look() {
	mountpoint -q upper || mount "$1" upper
	check "$2 has at least $3 MiB" test "$(fs_mib)" -ge "$3"
	check_equal "$2 has its files" "$SUM" "$(tree_sum upper)"
	umount upper
	check "$2 is sound" fsck_clean "$2" "$1"
}

create() { dimgsetup create --force disk.img "$@"; }

# in_partition TYPE SMALL LARGE: mounted, not attached; ext4 also attached, not
# mounted: the others take the same way
in_partition() {
	create "$2"M --gpt --mkfs="$1"
	attach -P disk.img
	fill "${DEV}p1"
	out=$(dimgsetup resize --all disk.img "$3"M) || fail "$1, mounted in a partition"
	check_match "$1: each step is told" \
		"file: $(($2 << 20)) -> $(($3 << 20)) bytes" "$out"
	look "${DEV}p1" "$1" $(($3 * 3 / 4))
	check "$1: the table is sound" table_is_sound "$DEV"
	detach "$DEV"

	check "$1, not attached" dimgsetup resize --all disk.img $(($3 + 96))M
	check "the borrowed device is gone" wait_for 10 nothing_attached
	check "$1: the table is sound" table_is_sound disk.img
	[ "$1" = ext4 ] || return 0
	attach -P disk.img
	check "$1, attached, not mounted" dimgsetup resize --all "$DEV" +64M
	look "${DEV}p1" "$1" $((($3 + 160) * 3 / 4))
	detach "$DEV"

	# as after a kill while it was written; the kernel takes no GPT from the backup
	for size in $(($3 + 160))M +64M; do
		dd if=/dev/zero of=disk.img bs=512 seek=1 count=1 conv=notrunc status=none
		check "$1, the first GPT is void, $size" dimgsetup resize --all disk.img $size
		check_equal "both are sound" "" "$(sfdisk -d disk.img 2>&1 >/dev/null)"
	done
	attach -P disk.img
	look "${DEV}p1" "$1" $((($3 + 224) * 3 / 4))
	detach "$DEV"
}

# no_table TYPE SMALL LARGE
no_table() {
	create "$2"M --mkfs="$1"
	attach disk.img
	fill "$DEV"
	check "$1, mounted, no table" dimgsetup resize --all "$DEV" "$3"M
	look "$DEV" "$1" $(($3 * 3 / 4))
	detach "$DEV"
	check "$1, not attached, no table" dimgsetup resize --all disk.img +32M
	check "the borrowed device is gone" wait_for 10 nothing_attached
}

modprobe -q xfs && in_partition xfs 320 480
modprobe -q btrfs && no_table btrfs 320 480
in_partition ext4 64 160
no_table ext4 64 160
