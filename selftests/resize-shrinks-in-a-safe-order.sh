#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 90
# Claim: resize --shrink --all makes file system, partition, GPT, file and device
# smaller, and keeps every file; LUKS and others say what is left to do.
# Broken: files are lost, or the table is void afterwards.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

mkdir upper
defer release_mount "$TMP/upper"

fill() {
	mount "$1" upper
	cp -r "$SELFTESTS/lib" upper/
	blkop_create upper/large 4M
	SUM=$(tree_sum upper)
	umount upper
}

look() {
	check "$2 is sound" fsck_clean "$2" "$1"
	mount "$1" upper
	check_equal "$2 has its files" "$SUM" "$(tree_sum upper)"
	check "$2 has the large one" blkop -r upper/large read:0:4M:6
	umount upper
}

for type in ext4 btrfs; do
	modprobe -q $type || continue
	from=96 to=48
	[ $type = ext4 ] || { from=480 to=320; }
	dimgsetup create --force --gpt --mkfs=$type disk.img ${from}M
	id=$(sfdisk --disk-id disk.img)$(sfdisk --part-uuid disk.img 1)
	attach -P disk.img
	fill "${DEV}p1"
	check "$type, attached" dimgsetup resize --shrink --all "$DEV" ${to}M
	check_equal "$type: file and device" "$((to << 20)) $((to << 20))" \
		"$(stat -c %s disk.img) $(blockdev --getsize64 "$DEV")"
	look "${DEV}p1" $type
	detach "$DEV"
	check_match "$type: the table is sound" 'No errors' "$(sfdisk -V disk.img 2>&1)"
	check_equal "$type: no warning of it" "" "$(sfdisk -V disk.img 2>&1 >/dev/null)"
	check_equal "$type: the same disk" "$id" \
		"$(sfdisk --disk-id disk.img)$(sfdisk --part-uuid disk.img 1)"

	# back, and smaller again, not attached
	[ $type = ext4 ] || continue
	check "$type, larger" dimgsetup resize --all disk.img ${from}M
	check "the borrowed device is gone" nothing_attached
	check "$type, not attached" dimgsetup resize --shrink --all disk.img ${to}M
	check "this one, too" nothing_attached
	attach -P disk.img
	look "${DEV}p1" $type
	detach "$DEV"
done

# an MBR
rm disk.img
truncate -s 96M disk.img
printf 'label: dos\n,10M\n,\n' | sfdisk -q disk.img
attach -P disk.img
make_fs ext4 "${DEV}p2"
fill "${DEV}p2"
check "MBR, smaller" dimgsetup resize --shrink --all "$DEV" 48M
look "${DEV}p2" ext4
check "MBR, larger" dimgsetup resize --all "$DEV" 80M
look "${DEV}p2" ext4
check_equal "the partition reaches to the end" $((80 << 20)) \
	$((($(sysfs "$DEV" "${DEV#/dev/}p2/start") + $(sysfs "$DEV" "${DEV#/dev/}p2/size")) * 512))
detach "$DEV"

# what is left to others is named
requires_command cryptsetup
dimgsetup create --force --gpt disk.img 64M
attach -P disk.img
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	"${DEV}p1" <<<secret || die "luksFormat"
check_match "LUKS" 'cryptsetup resize' "$(dimgsetup resize --all "$DEV" 80M 2>&1 >/dev/null)"
check "its partition is larger" test "$(blockdev --getsize64 "${DEV}p1")" -gt $((70 << 20))
refused 4 'crypto_LUKS' dimgsetup resize --shrink --all "$DEV" 70M
detach "$DEV"
