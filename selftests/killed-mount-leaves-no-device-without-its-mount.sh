#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 300
# Claim: mount, ours or mount -t dimg, killed at any point leaves the image mounted,
# so that umount frees it, or nothing attached; its file system is clean either way.
# Broken: a device that nobody knows of keeps the image busy until somebody looks.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/kill.sh"

mkdir dir
defer release_mount "$TMP/dir"
truncate -s 8M disk.img
make_fs ext4 disk.img
mounted=0 nothing=0

begin()
{
	:
}

is_defined()
{
	if mountpoint -q dir; then
		mounted=$((mounted + 1))
		echo "$1" >dir/file && umount dir || return
	else
		nothing=$((nothing + 1))
	fi
	wait_for 20 nothing_attached || { ls /sys/block; return 1; }
	e2fsck -fn disk.img >out 2>&1 || { note_text "$(cat out)"; return 1; }
}

kill_points begin is_defined dimgsetup mount disk.img dir
note "mounted $mounted times, nothing $nothing times"
check "the kills hit something" [ $nothing -gt 0 ]
KILL_POINTS=$(((KILL_POINTS + 4) / 5))
KILL_WHOM=both
kill_points begin is_defined mount -t dimg disk.img dir
note "mounted $mounted times, nothing $nothing times, in all"
