#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-mem: 1536M
# Claim: an image that cannot be mounted is not attached, and the message tells what
# libblkid found instead, and what helps; so for a file system that the kernel does
# not know or does not like, and for users who may not.
# Broken: "wrong fs type, bad option, bad superblock" for all of it.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir dir
defer release_mount "$TMP/dir"

fresh()
{
	rm -f disk.img
	truncate -s "${1:-16M}" disk.img
}

# no STATUS PATTERN [OPTION]...: refused, and nothing is left.
no()
{
	refused "$1" "$2" dimgsetup mount "${@:3}" disk.img dir
	wait_for 10 nothing_attached || fail "still attached: $2"
}

# What is in it is not a file system.
fresh
no 4 'holds no file system'
no 4 'mkfs\.ext4 disk\.img'
sfdisk -q disk.img <<<$'label: gpt\nsize=4M, name=root\nsize=4M\n'
no 4 'GPT\) with 2 partitions'
no 4 '1: 4M, no file system, name root'
no 4 'no file system in this part' --part 2
no 2 'no partition has' --part 3
fresh
sfdisk -q disk.img <<<$'label: dos\nsize=4M\n'
no 4 '\(dos\) with 1 partition'
fresh
mkswap -q disk.img
no 4 'holds swap space'
requires_command cryptsetup pvcreate
fresh 32M
printf x | cryptsetup luksFormat -q --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \
	disk.img -
no 4 'cryptsetup open /dev/dimgblkN'
fresh
attach disk.img
pvcreate -qq -y --config 'devices { use_devicesfile = 0 }' "$DEV" >out 2>&1 || note_text "$(cat out)"
detach "$DEV"
no 4 'physical volume of LVM'

# There is one, but it cannot be mounted like this.
fresh
make_fs ext4 disk.img
refused 2 'mkdir -p' dimgsetup mount disk.img none
refused 2 'is no directory' dimgsetup mount disk.img disk.img
refused 2 'No such file' dimgsetup mount none.img dir
refused 1 'loop devices' dimgsetup mount -o loop disk.img dir
refused 1 'which IMAGE' dimgsetup mount disk.img
no 4 'refused by the kernel' -o no-such-option
no 4 'leave -t xfs out|does not know' -t xfs
no 4 'does not know' -t nosuchfs
no 4 'inside the image|offset' --offset 1G
chmod 444 disk.img
refused 5 'this needs CAP_SYS_ADMIN' setpriv --reuid 65534 --clear-groups \
	dimgsetup mount -r "$TMP/disk.img" dir
refused 5 'CAP_SYS_ADMIN|network namespace' setpriv --reuid 65534 --clear-groups \
	unshare -Urm dimgsetup mount -r "$TMP/disk.img" dir
chmod 644 disk.img

# A damaged one. The group descriptors point nowhere, the superblock is as it was.
dd if=/dev/urandom of=disk.img bs=1k seek=2 count=4 conv=notrunc status=none
no 7 'e2fsck -f disk\.img'

# A journal that must be replayed, on a device that cannot be written.
fresh
make_fs ext4 disk.img
dimgsetup mount disk.img dir
echo x >dir/file
sync
cp disk.img dirty.img
umount dir
wait_for 10 nothing_attached
mv dirty.img disk.img
no 4 'noload' -r
check "as the message says" dimgsetup mount -r -o noload disk.img dir
umount dir
check "or writable" dimgsetup mount disk.img dir
umount dir
check "nothing is attached" wait_for 10 nothing_attached

# A superblock whose label was changed without its checksum.
printf damaged | dd of=disk.img bs=1 seek=1144 conv=notrunc status=none
no 7 'e2fsck -f disk\.img'
