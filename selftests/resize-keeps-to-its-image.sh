#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# timeout: 120
# Claim: resize works on the image that it has looked at, alone: another one that gets its
# path meanwhile is not touched, and one that somebody has open for writing is left
# alone, also if that is a device that the caller cannot see. So do snapshot and create.
# Broken: the new image gets the partition table of the old one; resize2fs runs on a
# file under a mounted file system.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

mapped_fs ext4
dimgsetup create --gpt --mkfs=ext4 mnt/a.img 32M >/dev/null
cp mnt/a.img b.img
before=$(sha256sum <b.img)
sync
ln -s mnt/a.img disk.img
mapped_disk_hangs
dimgsetup resize --all disk.img 48M >out 2>&1 &
resize=$!
check "it waits for the disk" wait_for 20 grep -Eq 'fsync|fallocate|jbd2|ext4|io_schedule' /proc/$resize/stack
ln -sfn b.img disk.img
mapped_disk_answers
status=0
wait $resize || status=$?
check_equal "refused" 4 $status
check_match "says why" 'replaced by another' "$(cat out)"
check_equal "the other image is as it was" "$before" "$(sha256sum <b.img)"
check "nothing is attached" wait_for 10 nothing_attached
rm disk.img

mv b.img disk.img
exec 8>>disk.img
refused 3 'open for writing' dimgsetup resize --all disk.img 48M
refused 3 'open for writing' dimgsetup resize --shrink disk.img 16M
refused 3 'open for writing' dimgsetup snapshot disk.img copy.img
refused 3 'open for writing' dimgsetup create --force disk.img 1M
check "no copy" [ ! -e copy.img ]
exec 8>&-
attach --no-lock disk.img
refused 3 'open for writing' unshare -n dimgsetup resize --all --shrink disk.img 24M
refused 3 'open for writing' unshare -n dimgsetup resize disk.img 48M
detach "$DEV"
check_equal "it is as it was" "$before" "$(sha256sum <disk.img)"
exec 8<disk.img
check "a reader is no hindrance" dimgsetup resize --all disk.img 48M
exec 8<&-
