#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: snapshot makes no copy while a file system is mounted from the image that it
# cannot find, and so not freeze: unmounted lazily and still in use, or in a mount
# namespace that only a file holds, or mounted meanwhile from a partition or a device that was
# not there when it began to look; nor when it cannot look.
# Broken: a copy with half of a write in it is called consistent.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 32M disk.img
attach disk.img
make_fs ext4 "$DEV"
mkdir upper
mount "$DEV" upper
exec 8>upper/file
umount -l upper
refused 3 'cannot be made to stand still' dimgsetup snapshot disk.img copy.img
check_match "what it is" 'ext4.*unmounted lazily' "$(cat "$TMP/.stderr")"
check "no copy" [ ! -e copy.img ]
# blind ERRNO WHERE: not when it cannot look there, either; a pattern of what is opened
blind()
{
	# shellcheck disable=SC2016
	ERRNO=$1 WHERE=$2 refused 7 'cannot find out who uses it' \
		before-call openat 'case $3 in $WHERE) exit "$ERRNO" ;; esac' \
		dimgsetup snapshot disk.img blind.copy
	check "blind at $2: no copy" [ ! -e blind.copy ]
}
blind 24 /sys/fs
exec 8>&-
# the super block goes a moment after its last file
check "and then there is one" wait_for 10 dimgsetup snapshot --force disk.img copy.img

# Who mounts it says what it is from. It cannot be frozen, either, and need not be.
mkdir other
mount -t tmpfs "$DEV" other
defer release_mount "$TMP/other"
check "what only says that it is from there" dimgsetup snapshot --force disk.img copy.img
umount other

# Who cannot look does not know: when it looks for the first time, and for the last.
# shellcheck disable=SC2016
no_memory='[ "$1" != fsync ] || touch late; [ "$3" != /proc/self/mountinfo ] || [ ! -e $WHEN ] || exit 12'
WHEN=. refused 7 'cannot find out who uses it.*memory' \
	before-call openat "$no_memory" dimgsetup snapshot disk.img blind.img
WHEN=late refused 7 'cannot find out whether a file system was mounted.*memory' \
	before-call openat,fsync "$no_memory" dimgsetup snapshot disk.img blind.img
check "no copy" [ ! -e blind.img ]

blind 12 '*/holders'
blind 24 /proc
unshare -m sleep 600 &
elsewhere=$!
defer stop $elsewhere
check "it has a mount namespace" wait_for 10 \
	sh -c "[ \"\$(readlink /proc/$elsewhere/ns/mnt)\" != \"\$(readlink /proc/$$/ns/mnt)\" ]"
blind 24 "/proc/$elsewhere/mountinfo"
if modprobe -q dm-mod; then
	dmsetup create dimgblk-above --table "0 1024 linear $DEV 0"
	blind 24 'dm-*/dev'
	check "gone" dmsetup remove --retry dimgblk-above
fi

# One of a namespace has ended before it was looked at, another one has not. Of a file
# system that does not tell of itself in /sys/fs.
truncate -s 32M fat.img
if modprobe -q vfat && mkfs.vfat fat.img >/dev/null; then
	detach "$DEV"
	attach fat.img
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c \
		'mount -t vfat "$1" other && touch other/there && sleep 600 & sleep 600' sh "$DEV" &
	first=$!
	defer stop $first
	check "it is mounted there" wait_for 10 [ -e "/proc/$first/root$TMP/other/there" ]
	# shellcheck disable=SC2016
	FIRST=$first refused 4 'vfat have no means' before-call openat \
		'[ "$3" != "/proc/$FIRST/mountinfo" ] || exit 3' \
		dimgsetup snapshot fat.img fat.copy
	check "no copy" [ ! -e fat.copy ]
	stop $first
	check "it is detached" wait_for 10 dimgsetup detach fat.img
	attach disk.img
fi

mkdir spaces
mount -t tmpfs none spaces
defer release_mount "$TMP/spaces"
mount --make-private spaces
touch spaces/mnt
unshare --mount=spaces/mnt --propagation private mount "$DEV" upper
refused 3 'cannot be made to stand still' dimgsetup snapshot --force disk.img copy.img
umount spaces/mnt
check "that can be found is copied" wait_for 10 dimgsetup snapshot --force disk.img copy.img
check "it is detached" wait_for 10 dimgsetup detach disk.img

# Before the first fsync, which is one of the device when nothing stands still any more.
# shellcheck disable=SC2016
meanwhile='[ ! -e begun ] || exit 0; touch begun; exec >/dev/null; $DO; mount "$FROM" upper; cp /bin/sh upper'
truncate -s 32M parts.img
sfdisk -q parts.img <<<$'label: gpt\nsize=16M\n' >/dev/null
attach -P parts.img
make_fs ext4 "${DEV}p1"
detach parts.img
attach parts.img
DO="partx -a $DEV" FROM=${DEV}p1 refused 3 'meanwhile a file system of the image was mounted' \
	before-call fsync "$meanwhile" dimgsetup snapshot parts.img parts.copy
check "it was" umount upper
check "no copy" [ ! -e parts.copy ]
rm begun
detach parts.img
attach --sizelimit 1M parts.img
first=$DEV
attach -r --offset 1M --sizelimit 16M parts.img
other=$DEV
dimgsetup detach "$other"
DO="dimgsetup attach --offset 1M --sizelimit 16M parts.img" FROM=$other refused 3 \
	'meanwhile a file system of the image was mounted' \
	before-call fsync "$meanwhile" dimgsetup snapshot "$first" parts.copy
check "it was" umount upper
check "no copy" [ ! -e parts.copy ]
dimgsetup detach --all
