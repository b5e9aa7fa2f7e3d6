#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: RWF_NOWAIT on the device gives the right bytes, or EAGAIN to the caller
# who asked for it; never EIO, never half a request (F8).
# Broken: a worker that inherits NOWAIT and fails other people's requests.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 4M
for mode in on off; do
	attach --direct-io=$mode "$MNT/disk.img"
	echo 1 >/proc/sys/vm/drop_caches
	again=0 bad=0
	for i in {1..24}; do
		op=$([ $((i % 2)) = 0 ] && echo nowait || echo rnowait)
		out=$(blkop -d "$DEV" "$op:$((i * 65536)):64K:1") || true
		case $out in
		'') ;;
		EAGAIN | EOPNOTSUPP) again=$((again + 1)) ;;
		*) bad=$((bad + 1)) && note "$op: $out" ;;
		esac
	done
	note "direct=$mode: $again of 24 had to wait"
	check_equal "direct=$mode: other answers" 0 $bad
	check "direct=$mode: the bytes" blkop -d "$DEV" read:0:4M:1
	detach "$DEV"
done
