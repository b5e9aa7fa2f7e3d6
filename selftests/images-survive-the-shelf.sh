#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: an image that was detached, compressed with gzip or zstd and unpacked, holes
# included, attaches again with the same label, files and free space (the guide's
# tips: labels, df, backup, detach safely, compression).
# Broken: a backup that cannot be used, or takes the full size when unpacked.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

requires_command gzip zstd e2label
scratch_fs ext4
cd mnt
defer cd /
truncate -s 128M disk.img
attach disk.img
make_fs ext4 "$DEV"
e2label "$DEV" my_disk_image
mount_at "$DEV" "$TMP/upper"
cp -r "$SELFTESTS/." "$TMP/upper/"
check_equal "the label" my_disk_image "$(e2label "$DEV")"
check "found by its label" wait_for 20 sh -c "findfs LABEL=my_disk_image | grep -qx $DEV"
check_match "df tells of the free space" "^$DEV +1[12][0-9]M +[0-9.]+[KM] +[0-9]+M +[0-9]+% $TMP/upper$" \
	"$(df -h "$TMP/upper")"
refused 3 "umount $TMP/upper" dimgsetup detach "$DEV"
sum=$(tree_sum "$TMP/upper")
free=$(stat -f -c %f "$TMP/upper")
umount "$TMP/upper"
check "a detach that is safe" dimgsetup detach "$DEV"
whole=$(sha256sum <disk.img)
blocks=$(stat -c %b disk.img)

# unpacked WITH: the same image again.
unpacked()
{
	check_equal "$1: every byte" "$whole" "$(sha256sum <disk.img)"
	check "$1: not larger than before" [ "$(stat -c %b disk.img)" -le $((blocks + 256)) ]
	attach disk.img
	# read-only: a mount for writing changes bytes by itself
	mount_at "$DEV" "$TMP/upper" -o ro
	check_equal "$1: every file" "$sum" "$(tree_sum "$TMP/upper")"
	check_equal "$1: free space" "$free" "$(stat -f -c %f "$TMP/upper")"
	umount "$TMP/upper"
	detach "$DEV"
}

zstd -q --rm disk.img
check "zstd makes it small" [ "$(stat -c %s disk.img.zst)" -lt $((4 << 20)) ]
zstd -q -d --sparse --rm disk.img.zst
unpacked zstd
gzip -1 disk.img
gzip -dc disk.img.gz | dd of=disk.img bs=64K iflag=fullblock conv=sparse status=none
unpacked gzip
gunzip -f disk.img.gz
check "gunzip alone fills the holes" [ "$(stat -c %b disk.img)" -gt $((blocks + 256)) ]
dimgsetup compact disk.img >/dev/null
unpacked "gunzip, then compact"
cd "$TMP"
