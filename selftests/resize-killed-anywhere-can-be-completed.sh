#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# timeout: 400
# Claim: resize --all killed by SIGKILL at any point leaves a whole file system and
# a defined size, and the same command completes it.
# Broken: fsck finds errors, the table is void, or a device is left behind.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"
. "$SELFTESTS/lib/kill.sh"

scratch_fs ext4
IMG=$MNT/disk.img
dimgsetup create --gpt --mkfs=ext4 old.img 32M

begin() { cp --sparse=always old.img "$IMG"; }

sound() {
	sfdisk -d "$IMG" >/dev/null 2>&1 || return
	e2fsck -fn "$IMG?offset=1048576" >/dev/null 2>&1
}

look() {
	local size
	wait_for 60 nothing_attached || { fail "round $1: a device is left"; return 1; }
	size=$(stat -c %s "$IMG")
	case $size in
	$((32 << 20)) | $((64 << 20))) ;;
	*) fail "round $1: $size bytes" ;;
	esac
	sound || fail "round $1: not sound"
	dimgsetup resize --all "$IMG" 64M >/dev/null || fail "round $1: not completed"
	wait_for 60 nothing_attached || fail "round $1: a device is left at the end"
	sound || fail "round $1: not sound at the end"
	check_equal "round $1: $size, then grown" "$((64 << 20)) 63488" \
		"$(stat -c %s "$IMG") $(fs_kib)"
}

# Of the file system in the partition, which is 62 MiB. From the superblock:
# s_blocks_count_lo and s_log_block_size.
fs_kib() {
	local at=$((1048576 + 1024)) blocks log
	blocks=$(od -An -tu4 -j $((at + 4)) -N 4 "$IMG")
	log=$(od -An -tu4 -j $((at + 24)) -N 4 "$IMG")
	echo $((blocks << log))
}

kill_points begin look dimgsetup resize --all "$IMG" 64M
