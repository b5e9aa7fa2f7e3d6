#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: mount takes one partition by number, name or label; an image that is
# attached, or mounted elsewhere, is mounted from its device, which stays as it is;
# what does not fit that device is refused.
# Broken: two devices on the same bytes, or one that vanishes under its owner.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir one two
defer release_mount "$TMP/one"
defer release_mount "$TMP/two"
truncate -s 32M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=8M, name=first\nsize=8M, name=second\n'
attach -P disk.img
make_fs ext4 "${DEV}p1" -L one
make_fs ext4 "${DEV}p2" -L two
detach "$DEV"

source_of()
{
	findmnt -rno SOURCE "$1"
}

# Two partitions of one image, each with a device of its own.
check "by number" dimgsetup mount --part 1 disk.img one
check "by label, the other one" dimgsetup mount --part two disk.img two
check_equal "two devices" 2 "$(compgen -G '/sys/block/dimgblk*' | wc -l)"
echo 1 >one/file
echo 2 >two/file
check "umount by image frees both" dimgsetup umount disk.img
check "nothing is attached" wait_for 10 nothing_attached

# A standing device: its partition nodes are taken.
attach -P --name standing disk.img
check "by GPT name, from the standing device" dimgsetup mount --part first disk.img one
check_equal "its node" "${DEV}p1" "$(source_of one)"
check "by the name of the device" dimgsetup mount --part 2 standing two
check_equal "its node, too" "${DEV}p2" "$(source_of two)"
check_equal "the files are there" "1 2" "$(cat one/file) $(cat two/file)"
refused 3 "already" dimgsetup mount --part 1 disk.img one
refused 4 "differs .* logical block size" dimgsetup mount -b 4096 --part 1 disk.img /mnt
refused 4 "differs .* name" dimgsetup mount --name other --part 1 disk.img /mnt
refused 1 "choose bytes of an image" dimgsetup mount --offset 1M standing /mnt
refused 1 "choose bytes of an image" dimgsetup mount --sizelimit 1M "${DEV}p1" /mnt
check_equal "mounted twice" 2 "$(findmnt -rn -t ext4 | wc -l)"
check "umount of one partition" dimgsetup umount "${DEV}p2"
check "leaves the other" mountpoint -q one
check "umount by name" dimgsetup umount standing
check "the device stays" is_attached "$DEV"
check "mount by node" dimgsetup mount "${DEV}p1" one
umount one
detach standing

# A read-only device: not writable by mistake.
attach -r -P disk.img
refused 4 "read-only" dimgsetup mount --part 1 disk.img one
check "read-only it is mounted" dimgsetup mount -o ro --part 1 disk.img one
umount one
detach "$DEV"

# Whole image, two directories, one device, gone with the last.
truncate -s 16M whole.img
make_fs ext4 whole.img
check "mount" dimgsetup mount whole.img one
check "again elsewhere" dimgsetup mount whole.img two
check_equal "one device" "$(source_of one)" "$(source_of two)"
echo same >one/file
check_equal "one file system" same "$(cat two/file)"
umount one
check "the second keeps it" sync -f two/file
umount two
check "nothing is attached" wait_for 10 nothing_attached

# At the same time: one device in the end.
dimgsetup mount whole.img one & pid1=$!
dimgsetup mount whole.img two & pid2=$!
check_child "one of two at the same time" $pid1
check_child "the other of two" $pid2
check_equal "one device for both" "$(source_of one)" "$(source_of two)"
check "umount by image" dimgsetup umount whole.img
check "nothing is attached" wait_for 10 nothing_attached
