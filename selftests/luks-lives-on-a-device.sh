#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-mem: 1536M
# Claim: the guide's LUKS lines work on /dev/dimgblkN: format, open, mkfs, mount;
# a wrong passphrase opens nothing, detach names the mapping, trim through it frees
# blocks of the image, and it grows while mounted.
# Broken: plain text in the image, an image that only grows, EBUSY without a name.
. "$(dirname "$0")/lib/dimgblk.sh"
requires_command cryptsetup
modprobe dm_crypt || skip "no dm-crypt in this kernel"

MAPPING=dimgblk-test-luks
FAST=(--pbkdf pbkdf2 --pbkdf-force-iterations 1000)

close_mapping()
{
	[ ! -e /dev/mapper/$MAPPING ] || cryptsetup close $MAPPING
}

open_with()
{
	printf %s "$1" | cryptsetup open --key-file - "${@:2}" "$DEV" $MAPPING
}

# KiB that the image takes; what is dirty has no blocks yet.
used()
{
	sync -f disk.img
	du -k disk.img | cut -f1
}

truncate -s 64M disk.img
attach disk.img
defer close_mapping
printf right | cryptsetup luksFormat -q --type luks2 "${FAST[@]}" --key-file - "$DEV"
check_fails "the wrong passphrase opens nothing" open_with wrong
check_equal "and leaves nothing" "" "$(dmsetup ls --target crypt | grep $MAPPING || true)"
check "the right one does" open_with right --allow-discards
make_fs ext4 /dev/mapper/$MAPPING
mount_at /dev/mapper/$MAPPING "$TMP/upper"
refused 3 "device mapper \"$MAPPING\"" dimgsetup detach "$DEV"

before=$(used)
# not from yes, which would die of SIGPIPE
awk 'BEGIN { for (i = 0; i < 900000; i++) print "this is plain text" }' >upper/text
sync -f upper/text
full=$(used)
check "the image has grown ($before -> $full KiB)" [ "$full" -ge $((before + 16000)) ]
check_fails "without the text in it" grep -qa "this is plain text" disk.img
rm upper/text
sync -f upper
check "trim" fstrim upper
check "gives the blocks back ($(used) KiB)" [ "$(used)" -le $((full - 12000)) ]

echo grown >upper/file
truncate -s +64M disk.img
check "the device follows" dimgsetup resize "$DEV"
printf right | cryptsetup resize --key-file - $MAPPING
check "the file system follows" resize2fs /dev/mapper/$MAPPING
check "to the full size" [ "$(df --output=size -k upper | tail -n 1)" -ge $((96 * 1024)) ]
umount upper
check "fsck is happy" e2fsck -fn /dev/mapper/$MAPPING
close_mapping
check "detach" detach "$DEV"

attach --auto-detach disk.img
open_with right
mount -o ro /dev/mapper/$MAPPING upper
check_equal "attached again, the file is there" grown "$(cat upper/file)"
umount upper
close_mapping
check "with --auto-detach closing the mapping is all" wait_for 10 is_gone "$DEV"
