#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# timeout: 90
# Claim: create makes images of the exact size, sparse, allocated or zeroed, on
# ext4, xfs, vfat and tmpfs, with file system, label, UUID and GPT as asked for.
# Broken: a size, a label or the allocation is another one, and nobody says so.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command mkfs.ext4 mkfs.xfs mkfs.btrfs mkfs.vfat sfdisk
UUID=0a1b2c3d-0123-4567-89ab-0a1b2c3d4e5f

allocated() { stat -c %b "$1" | awk '{ print $1 * 512 }'; }
tag() { blkid -p -s "$2" -o value "$1"; }

# The methods, in directory $1
methods() {
	local m
	for m in sparse allocate zero; do
		check_equal "$1: $m prints nothing on stdout" "" \
			"$(dimgsetup create --method=$m "$1/$m" 6M 2>stderr)"
		check_equal "$1: $m has the size" $((6 << 20)) "$(stat -c %s "$1/$m")"
		check "$1: $m reads as zeros" cmp -n $((6 << 20)) "$1/$m" /dev/zero
	done
	check "$1: allocated" test "$(allocated "$1/allocate")" -ge $((6 << 20))
	check "$1: written" test "$(allocated "$1/zero")" -ge $((6 << 20))
	rm "$1"/{sparse,allocate,zero}
}

mkdir tmpfs
mount -t tmpfs none tmpfs
defer release_mount "$TMP/tmpfs"
methods tmpfs
dimgsetup create tmpfs/sparse 1G
check_equal "sparse takes no room" 0 "$(allocated tmpfs/sparse)"
check "the warning names what is missing" grep -q . <(
	dimgsetup create tmpfs/huge 100T 2>&1)

for type in ext4 xfs vfat ext2; do
	modprobe -q $type || continue
	scratch_disk 1
	make_fs $type "$DISK"
	mkdir -p host
	mount "$DISK" host
	defer release_mount "$TMP/host"
	if [ $type = vfat ]; then
		for m in sparse allocate zero; do
			check "vfat: $m" dimgsetup create --method=$m host/$m 6M
		done
		check_match "vfat: sparse is said to be none" 'no sparse files' \
			"$(dimgsetup create host/x 6M 2>&1)"
		refused 4 ' free |too large' dimgsetup create host/y 5G
		check "vfat: nothing is left" test ! -e host/y
	elif [ $type = ext2 ]; then
		# blocks without extents cannot be reserved
		refused 4 'cannot reserve' dimgsetup create --method=allocate host/y 6M
		check "ext2: nothing is left" test ! -e host/y
	else
		methods host
		check "$type: mkfs keeps blocks" dimgsetup create --method=allocate \
			--mkfs=ext4 host/kept 16M
		check "$type: all of them" test "$(allocated host/kept)" -ge $((16 << 20))
		check "$type: with a GPT" dimgsetup create --method=allocate --gpt \
			--mkfs=ext4 host/kept2 16M
		check "$type: all of them" test "$(allocated host/kept2)" -ge $((16 << 20))
	fi
	umount host
done

for type in ext4 xfs btrfs; do
	check "$type" dimgsetup create --mkfs=$type --label=Data-1 --uuid=$UUID $type.img 320M
	check_equal "$type" "$type Data-1 $UUID" \
		"$(tag $type.img TYPE) $(tag $type.img LABEL) $(tag $type.img UUID)"
done
check "vfat" dimgsetup create --mkfs=vfat --label=DATA_1 --uuid=1234-ABCD vfat.img 64M
check_equal "vfat" "vfat DATA_1 1234-ABCD" \
	"$(tag vfat.img TYPE) $(tag vfat.img LABEL) $(tag vfat.img UUID)"
printf '#!/bin/sh\ntouch ran\n' >mkfs.ext4
chmod +x mkfs.ext4
check "with an empty PATH" env PATH= "$(command -v dimgsetup)" create --mkfs=ext4 path.img 16M
check_equal "there is a file system" ext4 "$(tag path.img TYPE)"
check "by the program of the system" [ ! -e ran ]
refused 1 '16 bytes' dimgsetup create --mkfs=ext4 --label=12345678901234567 x 64M
refused 1 '12 bytes' dimgsetup create --mkfs=xfs --label=1234567890123 x 320M
refused 1 'capitals' dimgsetup create --mkfs=vfat --label=data x 64M
refused 1 'no UUID' dimgsetup create --mkfs=ext4 --uuid=1234-ABCD x 64M
refused 1 'volume ID' dimgsetup create --mkfs=vfat --uuid=$UUID x 64M
refused 1 'ext4, xfs, btrfs or vfat' dimgsetup create --mkfs=ntfs x 64M
refused 1 'needs' dimgsetup create --label=x x 64M
for size in 0 513 -1 1Q 9E 99999999999999999999 ''; do
	refused 1 . dimgsetup create x "$size"
done
check "refusals make nothing" test ! -e x

for type in ext4 vfat; do
	modprobe -q $type || continue
	dimgsetup create --force --gpt --mkfs=$type --label=PART disk.img 400M
	check "$type: the table is sound" grep -q 'No errors' <(sfdisk -V disk.img 2>&1)
	attach -P disk.img
	check_equal "$type: partition and label" "2048 PART" \
		"$(sysfs "$DEV" "${DEV#/dev/}p1/start") $(tag "${DEV}p1" LABEL)"
	mkdir -p upper
	check "$type: mount" mount "${DEV}p1" upper
	check "$type: write" cp -r "$SELFTESTS/lib" upper/
	umount upper
	detach "$DEV"
done
