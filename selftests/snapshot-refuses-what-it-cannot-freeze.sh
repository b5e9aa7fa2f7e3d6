#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: snapshot makes no copy while a file system is mounted from the image that it
# cannot find, and so not freeze: unmounted lazily and still in use, or in a mount
# namespace that only a file holds.
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

mkdir spaces
mount -t tmpfs none spaces
defer release_mount "$TMP/spaces"
mount --make-private spaces
touch spaces/mnt
unshare --mount=spaces/mnt --propagation private mount "$DEV" upper
refused 3 'cannot be made to stand still' dimgsetup snapshot --force disk.img copy.img
umount spaces/mnt
check "that can be found is copied" wait_for 10 dimgsetup snapshot --force disk.img copy.img
