# SPDX-License-Identifier: GPL-2.0
# Steps that several scripts do with different file systems: one living on the
# device, one below it holding the image. Sourced after dimgblk.sh.
# shellcheck shell=bash

# fs_on_device TYPE IMAGE-SIZE: mkfs, fill, remount, compare, fsck, from an image
# on the tmpfs; the image is what the next attach finds.
fs_on_device()
{
	local type=$1 sum
	modprobe -q "$type" || skip "no $type in this kernel"
	truncate -s "$2" disk.img
	attach disk.img
	make_fs "$type" "$DEV"
	mkdir -p upper
	mount "$DEV" upper
	defer release_mount "$TMP/upper"
	check "files" cp -r "$SELFTESTS/." upper/
	check "a large file" blkop_create upper/large 8M
	check "trim" fstrim upper
	sum=$(tree_sum upper)
	umount upper
	check "fsck is happy" fsck_clean "$type" "$DEV"
	check "detach" detach "$DEV"

	attach -r disk.img
	mount -o ro "$DEV" upper
	check_equal "the files are the same after re-attach" "$sum" "$(tree_sum upper)"
	check "the large file, too" blkop -r upper/large read:0:8M:6
	umount upper
}

blkop_create()
{
	truncate -s "$2" "$1" && blkop "$1" "write:0:$2:6" fsync
}

tree_sum()
{
	(cd "$1" && find . -type f ! -name large -print0 | sort -z | xargs -0 sha256sum) | sha256sum
}

fsck_clean()
{
	case $1 in
	ext4) e2fsck -fn "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	btrfs) btrfs check "$2" ;;
	esac
}

# image_on TYPE DIRECT...: random operations against a model, per direct mode, on
# an image on a scratch disk with that file system; the file is compared from
# outside, neighbours included.
image_on()
{
	local type=$1 mode bs
	shift
	for mode; do
		make_image "$MNT/disk.img" 6M 3
		cp "$MNT/disk.img" "$TMP/model.img"
		bs=512
		[ "$mode" != on ] || bs=4096
		attach -b $bs -o 64K --sizelimit 5M --direct-io="$mode" "$MNT/disk.img"
		check "$type, direct=$mode: random operations" \
			model "$DEV" "$TMP/model.img" 64K 5M 21 100 $bs
		check "$type, direct=$mode: through the device's page cache" \
			model -b "$DEV" "$TMP/model.img" 64K 5M 22 60 $bs
		detach "$DEV"
		check "$type, direct=$mode: the file is the model" \
			cmp "$TMP/model.img" "$MNT/disk.img"
		rm "$MNT/disk.img"
	done
}
