#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: list --usage tells what an image takes of its disk, what the disk lacks for
# the rest, and whether the image is still under its path; to root only (features.md
# pains 20, 39).
# Broken: a sparse image fills its disk unnoticed; space stays lost in a deleted one.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4

# columns DEV: values for root, one blank between.
columns()
{
	dimgsetup list --raw -n -o VIRT,ALLOC,USE%,OVERCOMMIT,FILE "$1"
}

make_image mnt/full.img 4M
sync mnt/full.img
attach mnt/full.img
full=$DEV
alloc=$(($(stat -c %b mnt/full.img) * 512))
check_equal "a full image" "4194304 $alloc 100 0 ok" "$(columns "$full")"

truncate -s 1T mnt/sparse.img
attach mnt/sparse.img
sparse=$DEV
# what is yet to be written back may take blocks of its own
sync -f mnt
free=$(($(stat -f -c '%a * %S' mnt)))
check_equal "a sparse one larger than its disk" \
	"1099511627776 0 0 $((1099511627776 - free)) ok" "$(columns "$sparse")"
blkop "$sparse" write:0:1M:1 fsync
alloc=$(($(stat -c %b mnt/sparse.img) * 512))
check_match "after a write of 1M" "^1099511627776 $alloc 1 [0-9]+ ok" "$(columns "$sparse")"
check_match "show, too" "^overcommitted by: *[0-9]+ bytes" "$(dimgsetup show "$sparse")"
check_equal "JSON is typed" '[1099511627776,true,"ok"]' "$(dimgsetup list -uJ "$sparse" |
	jq -c '.dimgdevices[0] | [.virt, .overcommit > 0, .file]')"
check_match "for people" '^NAME +SIZE +VIRT +ALLOC +USE% +OVERCOMMIT +FILE +BACK-FILE' \
	"$(dimgsetup list -u "$sparse")"

rm mnt/full.img
check_equal "deleted" deleted "$(dimgsetup list -n --raw -o FILE "$full")"
check_match "show, too" "^file: *deleted" "$(dimgsetup show "$full")"
make_image mnt/full.img 4M 2
check_equal "replaced" replaced "$(dimgsetup list -n --raw -o FILE "$full")"
mount -t tmpfs over mnt
check_equal "hidden by a mount" unreachable "$(dimgsetup list -n --raw -o FILE "$sparse")"
umount mnt

user=$(setpriv --reuid=65534 --regid=65534 --clear-groups \
	dimgsetup list -J -o NAME,ALLOC,VIRT,FILE,OVERCOMMIT "$sparse")
check_equal "nothing of it for ordinary users" '[null,null,null,null]' \
	"$(jq -c '.dimgdevices[0] | [.alloc, .virt, .file, .overcommit]' <<<"$user")"
attach "$DISK" --allow-overlap -r
check_equal "a block device has none" '[null,"ok"]' \
	"$(dimgsetup list -uJ "$DEV" | jq -c '.dimgdevices[0] | [.alloc, .file]')"
detach "$DEV"
detach "$sparse"
detach "$full"
