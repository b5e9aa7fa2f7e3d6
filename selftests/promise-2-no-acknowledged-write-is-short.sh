#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: when the backing file system fills up, every write that was acknowledged
# is in the image after detach, and the first that does not fit fails ENOSPC.
# (Through the device's page cache the kernel tells any lost write as EIO.)
# Broken: stock loop since 6.12: a partial transfer is reported as success.
. "$(dirname "$0")/lib/dimgblk.sh"

# fill SIZE-OF-FS BLOCK BLKOP-OPTION [fsync]: 4 MiB are too many.
fill()
{
	local block=$2 i n=0 out=
	mkdir -p full
	mount -t tmpfs -o "size=$1" dimgblk-full full
	truncate -s 4M full/disk.img
	attach full/disk.img
	for ((i = 0; i < (4 << 20) / block; i++)); do
		# shellcheck disable=SC2086
		out=$(blkop $3 "$DEV" "write:$((i * block)):$block:$((i + 1))" ${4:-}) || break
		n=$((n + 1))
	done
	check_match "$1, blocks of $block $3: error after $n" "^(ENOSPC${4:+|EIO})$" "$out"
	check "some fitted, not all" test $n -gt 0 -a $n -lt $(((4 << 20) / block))
	nl-send detach index="$(index_of "$DEV")" detach-mode=2 >/dev/null || true
	wait_for 10 is_gone "$DEV"
	attach -r full/disk.img
	for ((i = 0; i < n; i++)); do
		set -- "$@" "read:$((i * block)):$block:$((i + 1))"
	done
	shift 3
	[ "${1:-}" != fsync ] || shift
	check "all $n acknowledged writes are there" blkop -r "$DEV" "$@"
	detach "$DEV"
	check "seen from outside, too" blkop -r full/disk.img "$@"
	umount full
}

defer release_mount "$TMP/full"
fill 2348k 1048576 -d
fill 2156k 262144 -d
fill 2068k 65536 -d
fill 2348k 1048576 "" fsync
fill 2068k 65536 "" fsync
