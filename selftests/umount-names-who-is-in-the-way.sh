#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: umount of a file system in use changes nothing and names processes and
# mounts inside; what is not ours is refused; --lazy lets go later; a device that
# stays although its mounts are gone is told with its user.
# Broken: "target is busy", and the search begins.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir dir other
defer release_mount "$TMP/dir"
defer release_mount "$TMP/other"
truncate -s 16M disk.img
make_fs ext4 disk.img
dimgsetup mount disk.img dir
dev=$(findmnt -rno SOURCE dir)

# A process in it, a file open in it, a mount inside.
(cd dir && exec sleep 1000) & cwd=$!
defer stop $cwd
wait_for 10 sh -c "readlink /proc/$cwd/cwd | grep -q dir"
refused 3 "process $cwd \(sleep\) has the working directory" dimgsetup umount dir
stop $cwd
exec {fd}>dir/file
refused 3 "process $$ .* has open: .*dir/file" dimgsetup umount disk.img
exec {fd}>&-
mkdir dir/inside
mount -t tmpfs tmpfs dir/inside
refused 3 "tmpfs is mounted inside, on .*dir/inside" dimgsetup umount dir
umount dir/inside
check "all of this changed nothing" mountpoint -q dir

# What is not ours, and what is not there.
mount -t tmpfs tmpfs other
refused 4 "no device of dimgblk" dimgsetup umount other
refused 2 "is no mount point" dimgsetup umount /usr/lib
umount other
refused 2 "is no mount point" dimgsetup umount other
refused 2 "not attached|no such file" dimgsetup umount ./none.img
mount -t tmpfs tmpfs dir
refused 4 "no device of dimgblk" dimgsetup umount dir
refused 3 "mounted over it" dimgsetup umount disk.img
umount dir
check "still mounted" mountpoint -q dir

# Somebody else keeps the device: told, and a failure where the image was meant.
exec {fd}<"$dev"
refused 3 "process $$ .* has it open" dimgsetup umount disk.img
check_fails "but it is unmounted" mountpoint -q dir
exec {fd}<&-
check "and goes with its user" wait_for 10 nothing_attached
dimgsetup mount disk.img dir
exec {fd}<"$(findmnt -rno SOURCE dir)"
check "where the directory was meant, it is none" sh -c 'dimgsetup umount dir 2>err'
check_match "but told" "process $$ .* has it open" "$(cat err)"
exec {fd}<&-
check "it goes, too" wait_for 10 nothing_attached

# Lazily.
dimgsetup mount disk.img dir
# shellcheck disable=SC2016
refused 7 'cannot find out which devices are its partitions' \
	before-call openat 'case $3 in /sys/devices/*/block/dimgblk*) exit 24 ;; esac' \
	dimgsetup umount dir
check "it is mounted" mountpoint -q dir
exec {fd}>dir/file
check "lazy" dimgsetup umount -l dir
check_fails "out of sight" mountpoint -q dir
check "but attached" is_attached "$dev"
exec {fd}>&-
check "until the file is closed" wait_for 10 nothing_attached

# An image on a file system on an image: the inner one first.
dimgsetup mount disk.img dir
truncate -s 4M dir/inner.img
make_fs ext4 dir/inner.img
dimgsetup mount dir/inner.img other
refused 3 "in use" dimgsetup umount disk.img
check "both at once, in the right order" dimgsetup umount disk.img dir/inner.img
check "nothing is attached" wait_for 10 nothing_attached
check "the file system is clean" e2fsck -fn disk.img
