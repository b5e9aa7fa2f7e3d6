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
