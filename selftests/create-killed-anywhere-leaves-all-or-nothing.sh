#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# timeout: 120
# Claim: create killed by SIGKILL at any point leaves the complete image or none,
# and with --force the old or the new one; no room is lost.
# Broken: half an image has the name.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/kill.sh"

scratch_fs ext4
IMG=$MNT/disk.img
used() { df --output=used -B1M "$MNT" | tail -1; }
complete() { grep -q 'No errors' <<<"$(sfdisk -V "$IMG" 2>&1)" && ext4_in_it_is_sound; }
ext4_in_it_is_sound() { e2fsck -fn "$IMG?offset=1048576" >/dev/null 2>&1; }
room_is_back() { [ "$(used)" -le $((BEFORE + $1)) ]; }

start() { rm -f "$IMG"; }

look() {
	local files
	files=$(find "$MNT" -mindepth 1 ! -name lost+found)
	[ -n "$files" ] || { wait_for 10 room_is_back 1; return; }
	[ "$files" = "$IMG" ] && complete && [ "$(stat -c %s "$IMG")" = $((24 << 20)) ]
}

BEFORE=$(used)
kill_points start look dimgsetup create --method=zero --gpt --mkfs=ext4 "$IMG" 24M

# the old file is the same as the new one but for its size
start_over() {
	rm -f "$MNT"/disk.img "$MNT"/.disk.img.*
	cp "$TMP/old.img" "$IMG"
}

look_over() {
	local size
	size=$(stat -c %s "$IMG") || return
	case $size in
	$((16 << 20))) cmp -s "$TMP/old.img" "$IMG" ;;
	$((32 << 20))) complete ;;
	*) return 1 ;;
	esac
}

dimgsetup create --gpt --mkfs=ext4 "$TMP/old.img" 16M
KILL_POINTS=$(((KILL_POINTS + 1) / 2))
kill_points start_over look_over dimgsetup create --force --gpt --mkfs=ext4 "$IMG" 32M

# without nameless files, what SIGKILL leaves goes with the next attempt
umount "$MNT"
if modprobe -q vfat; then
	make_fs vfat "$DISK"
	mount "$DISK" "$MNT"
	dimgsetup create --method=zero --progress=json "$IMG" 200M 2>"$TMP/log" &
	wait_for 10 grep -q begin "$TMP/log"
	kill -KILL $!
	wait $! 2>/dev/null || true
	check_equal "the name says what it is" ".disk.img.dimgsetup-new" \
		"$(cd "$MNT" && find . -mindepth 1 -printf '%P')"
	check "the next attempt works" dimgsetup create "$IMG" 1M
	check_equal "and cleans up" "disk.img" "$(cd "$MNT" && find . -mindepth 1 -printf '%P')"
fi
