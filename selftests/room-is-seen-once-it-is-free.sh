#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# Claim: room that a file system is still freeing (xfs in the background, btrfs by its
# next commit) counts as free for create and snapshot; what is not free is refused.
# Broken: "rm old.img; dimgsetup create new.img 40G" is refused, and a second later not.
. "$(dirname "$0")/lib/dimgblk.sh"

# hog SIZE PIECES: a file of SIZE MiB with so many pieces at its end, which go first.
hog()
{
	local i
	local -a holes=()
	for ((i = 0; i < $2; i++)); do
		holes+=("punch:$((($1 << 20) - i * 8192 - 4096)):4096")
	done
	fallocate -l "$1M" "$MNT/hog"
	blkop "$MNT/hog" "${holes[@]}" fsync
}

# fits FILE COMMAND...: which makes FILE, right after the hog has gone
fits()
{
	hog "$SIZE" "$PIECES"
	refused 4 'free|No space left' "${@:2}"
	rm "$MNT/hog"
	check "room is there: ${*:2:2}" "${@:2}"
	rm -f "$1"
}

scratch_fs xfs -d size=512m
SIZE=350 PIECES=2048
make_image "$MNT/disk.img" 60M
fits "$MNT/new.img" dimgsetup create --method=allocate "$MNT/new.img" 300M
fits "$MNT/copy.img" dimgsetup snapshot --method=copy "$MNT/disk.img" "$MNT/copy.img"
release_mount "$MNT"

scratch_fs btrfs -b 512M
SIZE=320 PIECES=1
fits "$MNT/new.img" dimgsetup create --method=allocate "$MNT/new.img" 280M
