#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: given the image itself, cryptsetup takes a stock loop device of its own,
# by design of cryptsetup; both ways lead to the same data, one after the other.
# Broken: the guide promises what is not so, or the formats differ.
. "$(dirname "$0")/lib/dimgblk.sh"
requires_command cryptsetup
modprobe dm_crypt || skip "no dm-crypt in this kernel"
modprobe loop || skip "no loop in this kernel"

MAPPING=dimgblk-test-luks

close_mapping()
{
	[ ! -e /dev/mapper/$MAPPING ] || cryptsetup close $MAPPING
}

truncate -s 48M disk.img
defer close_mapping
printf key | cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 \
	--pbkdf-force-iterations 1000 --key-file - disk.img
printf key | cryptsetup open --key-file - disk.img $MAPPING
check_match "cryptsetup took a loop device" "loop: .*disk.img" "$(cryptsetup status $MAPPING)"
check "none of ours" nothing_attached
make_fs ext4 /dev/mapper/$MAPPING
mount_at /dev/mapper/$MAPPING "$TMP/upper"
echo by loop >upper/file
umount upper
close_mapping
check "its loop device went with the mapping" wait_for 10 sh -c '! losetup -j disk.img | grep -q .'

attach disk.img
printf key | cryptsetup open --key-file - "$DEV" $MAPPING
mount /dev/mapper/$MAPPING upper
check_equal "on our device: the same data" "by loop" "$(cat upper/file)"
umount upper
close_mapping
check "detach" detach "$DEV"
