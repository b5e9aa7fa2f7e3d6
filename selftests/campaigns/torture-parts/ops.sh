# SPDX-License-Identifier: GPL-2.0
# Part ops: four workers, each with an image and a model of it, draw one operation
# after the other; a fifth lists all the time, a sixth drops caches and freezes the
# file system below. Whatever comes, the image is what the model says; after a forced
# detach under load the contents are anybody's guess, so both begin anew.
# shellcheck shell=bash

# ops_attach: DEV and HOLD, a descriptor that keeps it in use.
ops_attach()
{
	local args=(backing-fd=9 "direct=$((RANDOM % 2 * 2))" "name=w$WORKER") out
	out=$(nl-send attach "${args[@]}" "$@" 9<>"$img") || {
		told "attach: $out"
		return 1
	}
	INDEX=$(field index "$out")
	DEV=/dev/dimgblk$INDEX
	wait_for 20 test -b "$DEV" || told "no node $DEV"
	count attach
}

ops_new_image()
{
	rm -f "$img" "$mod"
	truncate -s 4M "$img" "$mod"
}

# The model must hold for offset and length of the device.
ops_model()
{
	count model
	model "$DEV" "$mod" 0 4M $((RANDOM + 1)) 40 4096 >"$TMP/model.$WORKER" 2>&1
}

ops_detach()
{
	local out end=$((SECONDS + 60))
	until out=$(nl-send detach index="$INDEX"); do
		# udev may look at it for a moment
		if [[ $out != EBUSY* ]] || [ $SECONDS -gt $end ]; then
			told "strict detach: $out"
			return 1
		fi
	done
	cmp -s "$img" "$mod" || told "image and model differ after detach"
	count detach
}

op_changes_under_load()
{
	ops_attach || return 0
	ops_model &
	local pid=$! i out
	for i in 1 2 3 4; do
		out=$(nl-send set index="$INDEX" direct=$((RANDOM % 2 * 2))) ||
			told "set direct: $out"
		out=$(nl-send set index="$INDEX" resize) || told "resize: $out"
	done
	wait $pid || told "model under changes: $(cat "$TMP/model.$WORKER")"
	ops_detach
}

op_strict_while_open()
{
	local out
	ops_attach || return 0
	exec {HOLD}<"$DEV"
	ops_model || told "model: $(cat "$TMP/model.$WORKER")"
	out=$(nl-send detach index="$INDEX") && told "strict detach of an open device"
	[[ $out == EBUSY* ]] || told "strict detach while open: $out"
	exec {HOLD}<&-
	ops_detach
}

op_lazy_while_open()
{
	local out
	ops_attach || return 0
	exec {HOLD}<>"$DEV"
	out=$(nl-send detach index="$INDEX" detach-mode=1) || told "lazy: $out"
	ops_model || told "model after lazy detach: $(cat "$TMP/model.$WORKER")"
	exec {HOLD}<&-
	wait_for 30 test ! -e "/sys/block/dimgblk$INDEX" || told "lazy detach never ended"
	cmp -s "$img" "$mod" || told "image and model differ after lazy detach"
	count lazy
}

op_forced_under_load()
{
	local out
	ops_attach || return 0
	ops_model &
	wait_for 5 sh -c "[ \"\$(nl-send get index=$INDEX | sed -n 's/^open-count=//p')\" -gt 0 ]" || true
	out=$(nl-send detach index="$INDEX" detach-mode=2) || told "forced: $out"
	wait $! || true
	wait_for 30 test ! -e "/sys/block/dimgblk$INDEX" || told "forced detach never ended"
	ops_new_image
	count forced
}

op_grow_and_follow()
{
	local out size
	ops_attach flags=16 || return 0
	truncate -s 5M "$img"
	out=$(nl-send set index="$INDEX" resize) || told "resize: $out"
	size=$(blockdev --getsize64 "$DEV")
	[ "$size" = $((5 << 20)) ] || told "grown to $size"
	ops_model || told "model after growth: $(cat "$TMP/model.$WORKER")"
	truncate -s 4M "$img"
	out=$(nl-send set index="$INDEX" resize) || told "shrink: $out"
	ops_detach
	count resize
}

op_partitions()
{
	local i start
	ops_new_image
	printf 'size=1M\nsize=1M\n' | sfdisk -q "$img" || told "sfdisk"
	ops_attach flags=2 || return 0
	for i in 1 2; do
		wait_for 20 test -b "${DEV}p$i" || told "no partition $i"
		blkop "${DEV}p$i" write:0:64K:1 fsync read:0:64K:1 >/dev/null ||
			told "partition $i"
	done
	read -r start <"/sys/block/dimgblk$INDEX/dimgblk${INDEX}p1/start"
	nl-send detach index="$INDEX" detach-mode=2 >/dev/null || told "detach with partitions"
	wait_for 30 test ! -e "/sys/block/dimgblk$INDEX" || told "partitions stay"
	cmp -s -n 65536 -i $((start * 512)):0 "$img" "$TMP/pattern" ||
		told "partition 1 is not in the image"
	ops_new_image
	count partitions
}

op_file_system()
{
	ops_attach || return 0
	mkfs.ext2 -q -F "$DEV" 2>/dev/null || told "mkfs"
	mkdir -p "$TMP/fs.$WORKER"
	mount "$DEV" "$TMP/fs.$WORKER" || told "mount"
	blkop_new "$TMP/fs.$WORKER/file" || told "file on the device"
	nl-send set index="$INDEX" direct=$((RANDOM % 2 * 2)) >/dev/null || told "set"
	blkop "$TMP/fs.$WORKER/file" read:0:1M:5 >/dev/null || told "file after set"
	wait_for 20 umount "$TMP/fs.$WORKER" || told "umount"
	e2fsck -fn "$DEV" >/dev/null 2>&1 || told "e2fsck"
	cp --sparse=always "$DEV" "$mod" || told "copy"
	ops_detach
	ops_new_image
	count mount
}

blkop_new()
{
	truncate -s 1M "$1" && blkop "$1" write:0:1M:5 fsync read:0:1M:5 >/dev/null
}

op_cgroup()
{
	local group=/sys/fs/cgroup/torture$WORKER
	ops_attach || return 0
	mkdir -p "$group"
	[ ! -e "$group/memory.max" ] || echo 24M >"$group/memory.max"
	# shellcheck disable=SC2016
	sh -c 'echo $$ >"$1/cgroup.procs" && exec model -b "$2" "$3" 0 4M "$4" 40 4096' - "$group" \
		"$DEV" "$mod" $((RANDOM + 1)) >"$TMP/model.$WORKER" 2>&1 ||
		told "model in a cgroup: $(cat "$TMP/model.$WORKER")"
	sync "$DEV"
	wait_for 10 rmdir "$group" || told "rmdir $group"
	ops_detach
	count cgroup
}

ops_worker()
{
	local img mod op
	WORKER=$1
	img=$MNT/torture$1.img mod=$TMP/torture$1.model
	RANDOM=$((TORTURE_SEED + $1 * 7919))
	ops_new_image
	while [ ! -e "$TMP/stop" ] && [ ! -e "$TMP/found" ]; do
		op=${OPS[RANDOM % ${#OPS[@]}]}
		beat "$WORKER"
		op_"$op"
	done
	rm -f "$TMP/beat.$WORKER"
}

ops_lister()
{
	local out
	WORKER=lister
	while [ ! -e "$TMP/stop" ]; do
		beat lister
		out=$(timeout 60 nl-send -d get) || told "list: $out"
		[ -z "$(sed -n 's/^index=//p' <<<"$out" | sort | uniq -d)" ] || told "twice in: $out"
		count list
	done
	rm -f "$TMP/beat.lister"
}

ops_below()
{
	WORKER=below
	while [ ! -e "$TMP/stop" ]; do
		beat below
		echo $((1 + RANDOM % 3)) >/proc/sys/vm/drop_caches
		if [ $((RANDOM % 4)) = 0 ]; then
			fsfreeze -f "$MNT" && fsfreeze -u "$MNT" && count freeze
		fi
		sleep 0.5
	done
	rm -f "$TMP/beat.below"
}

part_ops()
{
	local i pids=()
	OPS=(changes_under_load strict_while_open lazy_while_open forced_under_load
		grow_and_follow partitions file_system cgroup)
	scratch_fs ext4
	make_image "$TMP/pattern" 64K 1
	for i in 0 1 2 3; do
		ops_worker $i &
		pids+=($!)
	done
	ops_lister &
	pids+=($!)
	ops_below &
	pids+=($!)
	supervise "$1" "${pids[@]}" || return 1
	release_mount "$MNT"
	for i in attach detach lazy forced resize partitions mount cgroup model list freeze; do
		[ "$(counted $i)" -gt 0 ] || [ "$1" -lt 120 ] || fail "ops: never: $i"
	done
	[ "$(counted detach)" -gt 0 ] || fail "ops: no image was ever compared"
}
