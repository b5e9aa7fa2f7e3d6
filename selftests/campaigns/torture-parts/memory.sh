# SPDX-License-Identifier: GPL-2.0
# Part memory: swap on a device on a file on ext4, a file system on a device on a file
# system on a device, low dirty limits, somebody who eats memory. A heartbeat writes
# and syncs through the whole stack; a gap of more than HEARTBEAT seconds is a failure.
# shellcheck shell=bash disable=SC2034 # WORKER is for told and count

HEARTBEAT=${TORTURE_HEARTBEAT:-60}

memory_heart()
{
	local start
	WORKER=heart
	truncate -s 1M "$TMP/upper/heart"
	while [ ! -e "$TMP/stop" ]; do
		beat heart
		start=$SECONDS
		blkop "$TMP/upper/heart" write:0:64K:$((RANDOM + 1)) fsync >/dev/null || told "heartbeat"
		[ $((SECONDS - start)) -le "$HEARTBEAT" ] || told "a heartbeat of $((SECONDS - start)) s"
		echo $((SECONDS - start)) >>"$TMP/heartbeats"
		count heartbeat
		sleep 0.2
	done
	rm -f "$TMP/beat.heart"
}

memory_writer()
{
	WORKER=writer
	while [ ! -e "$TMP/stop" ]; do
		beat writer
		truncate -s 12M "$TMP/upper/data"
		blkop "$TMP/upper/data" write:0:12M:3 >/dev/null || told "write"
		blkop "$TMP/upper/data" read:0:12M:3 >/dev/null || told "other bytes on top of the stack"
		rm "$TMP/upper/data"
		count write
	done
	rm -f "$TMP/beat.writer"
}

# Twice what is free, so that half of it has to go to swap.
memory_eater()
{
	local kib
	WORKER=eater
	while [ ! -e "$TMP/stop" ]; do
		beat eater
		kib=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
		# shellcheck disable=SC2016
		sh -c 'echo 1000 >/proc/self/oom_score_adj && exec blkop /dev/null canary:$1' - \
			$(((kib + 24576) * 1024)) >/dev/null 2>&1 || count killed-eater
		count eat
	done
	rm -f "$TMP/beat.eater"
}

part_memory()
{
	local pids=() swap count
	scratch_disk 2
	mkfs.ext4 -q -F "$DISK"
	mount_at "$DISK" "$TMP/lower"
	# Written whole: ext4 that has to allocate or convert a block for a page that
	# goes to swap needs memory, which only swapping would free. So on loop.
	make_image lower/swap.img 48M
	truncate -s 96M lower/swap.img
	blkop lower/swap.img write:48M:48M fsync
	truncate -s 160M lower/middle.img
	attach lower/swap.img
	swap=$DEV
	mkswap -q "$swap" 2>/dev/null || mkswap "$swap" >/dev/null
	swapon -p 10 "$swap"
	defer sh -c "swapoff '$swap' 2>/dev/null || true"
	attach lower/middle.img
	mkfs.ext4 -q -F "$DEV"
	mount_at "$DEV" "$TMP/middle"
	truncate -s 64M middle/upper.img
	attach middle/upper.img
	mkfs.ext4 -q -F "$DEV"
	mount_at "$DEV" "$TMP/upper"
	echo $((4 << 20)) >/proc/sys/vm/dirty_bytes
	: >"$TMP/heartbeats"
	memory_heart &
	pids+=($!)
	memory_writer &
	pids+=($!)
	memory_eater &
	pids+=($!)
	supervise "$1" "${pids[@]}" || return 1
	echo 20 >/proc/sys/vm/dirty_ratio
	note "memory: longest heartbeat $(sort -n "$TMP/heartbeats" | tail -n 1) s, swapped out $(awk '$1 == "pswpout" { print $2 * 4 }' /proc/vmstat) KiB"
	for count in heartbeat write eat; do
		[ "$(counted $count)" -gt 0 ] || fail "memory: never: $count"
	done
	awk '$1 == "pswpout" { exit !$2 }' /proc/vmstat || fail "memory: nothing was ever swapped out"
	check "swapoff" swapoff "$swap"
	# the image on it holds the file system in the middle
	release_mount "$TMP/upper"
	detach "$DEV"
	release_mount "$TMP/middle"
}
