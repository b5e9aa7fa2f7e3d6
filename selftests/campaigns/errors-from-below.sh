#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything that storage below an image can do but answer: every errno, transfers
# that are cut short, stalls, a server that dies, a disk that is unplugged, a file
# system that is frozen. What is asked for each time: an error or the right bytes,
# never a short or false success; a detach within 10 s; list and other devices go
# on as if nothing were.
#
# usage: errors-from-below.sh [SCENARIO]...    all of them by default; in a guest with
# two scratch disks of 128 MiB and more:
#   vm/run --kernel 7.3 --disk 256M --disk 256M --timeout 1800 -- \
#           selftests/campaigns/errors-from-below.sh
# environment: ERRNOS, numbers to try (default 1 to 133)
# The last line but one has the figures; exit status 0 only if no check failed and each
# scenario proved something.
# shellcheck source=selftests/lib/dimgblk.sh
. "$(dirname "$0")/../lib/dimgblk.sh"
# shellcheck source=selftests/lib/liar.sh
. "$SELFTESTS/lib/liar.sh"
# shellcheck source=selftests/lib/mapped.sh
. "$SELFTESTS/lib/mapped.sh"

# What an administrator waits for at most, seconds.
PATIENCE=10
ERRNOS=${ERRNOS:-$(seq 1 133)}
ALL="every_errno cut_short stall killed_server stuck_attributes unplugged dm_error changed_below frozen"
PROVEN=0

# Each check that was made is counted, so that none means none.
proven()
{
	PROVEN=$((PROVEN + 1))
	check "$@"
}

# Within PATIENCE the command succeeds, whatever hangs.
undisturbed()
{
	proven "$1" timeout $PATIENCE "${@:2}"
}

# Others go on: the list, and the life of another device.
others_undisturbed()
{
	local other
	undisturbed "list" dimgsetup list
	[ -e good.img ] || make_image good.img 1M
	other=$(timeout $PATIENCE dimgsetup attach good.img) ||
		fail "attach of another image"
	undisturbed "I/O of another device" cmp good.img "$other"
	undisturbed "detach of another device" dimgsetup detach "$other"
}

# The forced detach of DEV answers in time; what is stuck goes when truth returns.
forced_detach_in_time()
{
	local start=$SECONDS took
	timeout 30 dimgsetup detach --force "$DEV" >out 2>&1 || true
	took=$((SECONDS - start))
	note_text "$(cat out)"
	proven "forced detach answered after $took s" test $took -le $PATIENCE
}

# three_modes FUNCTION: FUSE with and without page cache, and direct I/O.
three_modes()
{
	local mode
	for mode in "" -d direct; do
		note "mode ${mode:-buffered}"
		if [ "$mode" = direct ]; then
			liar_mount 8M
			attach_lies -b 4096 --direct-io=on
		else
			# shellcheck disable=SC2086
			liar_mount $mode 8M
			attach_lies --direct-io=off
		fi
		"$1" "$mode"
		truth_only
		is_gone "$DEV" || proven "detach" dimgsetup detach "$DEV"
		proven "the file system below is free" wait_for 10 umount lies
	done
}

# told TEXT COMMAND...: it fails with an errno and not by anything else.
told()
{
	local out status=0
	out=$("${@:2}" 2>&1) || status=$?
	PROVEN=$((PROVEN + 1))
	if [ $status != 1 ] || ! [[ $out =~ ^E[A-Z0-9]+$ ]]; then
		fail "$1: exit $status, $out"
	fi
}

errnos_of_one_mode()
{
	local e n=0
	for e in $ERRNOS; do
		answers "write $e" "fsync $e" "read $e 4194304"
		told "write, errno $e" blkop -d "$DEV" write:1M:64K:1
		told "read, errno $e" blkop -d "$DEV" leak:4M:64K
		n=$((n + 2))
		# FUSE takes ENOSYS of fsync for "never ask again", and says 0.
		[ "$e" != 38 ] || continue
		told "fsync, errno $e" blkop -d "$DEV" fsync
		n=$((n + 1))
	done
	truth_only
	# Reads are also what udev's look at the device gets.
	proven "each of $n failures was counted" test "$(errors_of "$DEV")" -ge $n
	proven "none poisons the device" blkop -d "$DEV" write:1M:64K:2 fsync read:1M:64K:2 \
		zero:4M:64K
}

every_errno()
{
	three_modes errnos_of_one_mode
}

# Whole and right, or an error.
whole_or_error()
{
	local text=$1 out status=0
	shift
	out=$(blkop -d "$DEV" "$@" 2>&1) || status=$?
	PROVEN=$((PROVEN + 1))
	case $status in
	0) proven "$text: served whole" blkop truth "${@/write/read}" ;;
	1) check_equal "$text: failed" EIO "$out" ;;
	*) fail "$text: $out" ;;
	esac
}

cut_short_in_one_mode()
{
	local answer block
	for answer in short odd zero "EIO 3158016" "EIO 3157000"; do
		for block in 4K 64K 256K; do
			truth_only
			blkop truth write:3M:256K:7
			echo 1 >/proc/sys/vm/drop_caches
			answers "read $answer"
			whole_or_error "read $answer, $block" "read:3M:$block:7"
			answers "write $answer"
			whole_or_error "write $answer, $block" "write:3M:$block:$((SECONDS + 8))"
		done
	done
}

cut_short()
{
	three_modes cut_short_in_one_mode
}

stall_in_one_mode()
{
	local op args stuck mode=$1
	for op in read write fsync; do
		is_attached "$DEV" || case $mode in
		direct) attach_lies -b 4096 --direct-io=on ;;
		*) attach_lies --direct-io=off ;;
		esac
		args=$op:4M:64K:0
		[ $op != fsync ] || args="write:1M:64K:1 fsync"
		echo 1 >/proc/sys/vm/drop_caches
		answers "$op stall"
		# shellcheck disable=SC2086
		blkop -d "$DEV" $args >/dev/null 2>&1 &
		stuck=$!
		# The block layer does not count a flush as in flight.
		[ $op = fsync ] || proven "$op: a request is stuck" wait_for 10 in_flight "$DEV"
		others_undisturbed
		proven "$op: it is still stuck" kill -0 $stuck
		forced_detach_in_time
		truth_only
		wait $stuck || true
		proven "$op: all is gone when the server answers again" wait_for 20 is_gone "$DEV"
	done
}

stall()
{
	three_modes stall_in_one_mode
}

killed_in_one_mode()
{
	local stuck start
	answers "read stall"
	blkop -d "$DEV" read:4M:64K:0 >killed 2>&1 &
	stuck=$!
	proven "a request is stuck" wait_for 10 in_flight "$DEV"
	kill -9 "$(liar_pid)"
	wait $stuck || true
	proven "the death of the server ends it with an error" grep -Eqx 'E[A-Z0-9]+' killed
	told "reads fail" blkop -d "$DEV" leak:4M:64K
	told "writes fail" blkop -d "$DEV" write:1M:64K:1 fsync
	proven "the record tells" sh -c "dimgsetup list -n -o LAST-ERROR $DEV | grep -q ' E'"
	others_undisturbed
	start=$SECONDS
	timeout 30 dimgsetup detach "$DEV" >out 2>&1 || true
	note_text "$(cat out)"
	proven "detach answers in time" test $((SECONDS - start)) -le $PATIENCE
	proven "the device is gone" wait_for 10 is_gone "$DEV"
}

killed_server()
{
	three_modes killed_in_one_mode
}

# The server answers reads but not stat(): who asks for it waits, nobody else.
stuck_attributes()
{
	liar_mount -d 8M
	attach_lies
	answers "getattr stall"
	others_undisturbed
	proven "I/O goes on" timeout $PATIENCE blkop -d "$DEV" write:1M:64K:1 fsync read:1M:64K:1
	forced_detach_in_time
	truth_only
	proven "gone" wait_for 20 is_gone "$DEV"
	proven "the file system below is free" wait_for 10 umount lies
}

# The driver of the disk is taken away, as when a disk is pulled out.
unplugged()
{
	local mode start device driver=/sys/bus/virtio/drivers/virtio_blk
	scratch_disk 2
	device=$(basename "$(readlink -f "/sys/block/${DISK#/dev/}/device")")
	for mode in off on; do
		make_fs ext4 "$DISK"
		mkdir -p pulled
		mount "$DISK" pulled
		make_image pulled/disk.img 8M
		sync -f pulled
		attach --direct-io=$mode pulled/disk.img
		udevadm settle
		proven "direct=$mode: it works" blkop -d "$DEV" read:0:64K:1 write:1M:64K:2 fsync
		echo "$device" >$driver/unbind
		echo 1 >/proc/sys/vm/drop_caches
		told "reads fail" blkop -d "$DEV" leak:4M:64K
		told "writes fail" blkop -d "$DEV" write:1M:64K:3 fsync
		proven "the record tells" sh -c "dimgsetup list -n -o LAST-ERROR $DEV | grep -q ' E'"
		others_undisturbed
		start=$SECONDS
		timeout 30 dimgsetup detach "$DEV" >out 2>&1 || true
		note_text "$(cat out)"
		proven "detach answers in time" test $((SECONDS - start)) -le $PATIENCE
		proven "the device is gone" wait_for 10 is_gone "$DEV"
		proven "the mount can be ended" umount pulled
		echo "$device" >$driver/bind
		proven "the disk comes back under its name" wait_for 10 test -b "$DISK"
		udevadm settle
	done
}

# A disk that fails everything for a while is the backing device itself.
dm_error()
{
	local mode
	scratch_disk 2
	map_disk "$DISK"
	for mode in off on; do
		attach --direct-io=$mode "$MAPPED"
		proven "direct=$mode: it works" blkop -d "$DEV" write:1M:64K:2 fsync read:1M:64K:2
		udevadm settle
		mapped_disk_fails
		echo 1 >/proc/sys/vm/drop_caches
		told "reads fail" blkop -d "$DEV" leak:4M:64K
		told "writes fail" blkop -d "$DEV" write:1M:64K:3 fsync
		proven "the record tells" sh -c "dimgsetup list -n -o LAST-ERROR $DEV | grep -q ': EIO'"
		others_undisturbed
		mapped_disk_is_well
		proven "well again" blkop -d "$DEV" write:1M:64K:4 fsync read:1M:64K:4
		proven "detach" dimgsetup detach "$DEV"
	done
	proven "the disk is free" unmap_disk
}

# The owner of the file punches, truncates and deletes it.
changed_below()
{
	local mode
	scratch_disk 1
	make_fs ext4 "$DISK"
	mkdir -p owner
	mount "$DISK" owner
	for mode in off on; do
		make_image owner/disk.img 8M
		attach --direct-io=$mode owner/disk.img
		udevadm settle
		fallocate -p -o 1M -l 1M owner/disk.img
		proven "direct=$mode: a hole reads as zeros, the rest as it was" \
			blkop -d "$DEV" zero:1M:1M read:0:1M:1 read:2M:1M:1
		truncate -s 4M owner/disk.img
		told "behind the end reads fail, and show nothing else" \
			blkop -d "$DEV" leak:5M:64K
		proven "a write there makes the file longer" \
			blkop -d "$DEV" write:7M:64K:6 fsync read:7M:64K:6 zero:5M:64K
		proven "and not longer than the device" test "$(stat -c %s owner/disk.img)" -le $((8 << 20))
		rm owner/disk.img
		proven "deleted, it goes on" blkop -d "$DEV" write:1M:64K:3 fsync read:1M:64K:3
		undisturbed "list" dimgsetup list
		proven "detach" dimgsetup detach "$DEV"
	done
	proven "the file system below is free" umount owner
}

# What the disk has, not what the page cache of its node remembers.
hash_of_disk()
{
	dd if="$DISK" iflag=direct bs=1M status=none | sha256sum
}

# Proven by the bytes of the disk below: none changes while it is frozen.
frozen()
{
	local mode before writer
	scratch_fs ext4
	make_image "$MNT/disk.img" 4M
	for mode in on off; do
		attach --direct-io=$mode "$MNT/disk.img"
		udevadm settle
		sync -f "$MNT"
		fsfreeze -f "$MNT"
		before=$(hash_of_disk)
		blkop -d "$DEV" write:1M:64K:9 fsync >/dev/null 2>&1 &
		writer=$!
		proven "direct=$mode: the write waits" wait_for 10 in_flight "$DEV"
		timeout 2 sync -f "$MNT" || true
		echo 1 >/proc/sys/vm/drop_caches
		undisturbed "reads do not" blkop -r -d "$DEV" read:0:64K:1
		others_undisturbed
		proven "still waiting" kill -0 $writer
		proven "direct=$mode: not a byte below changed" \
			test "$before" = "$(hash_of_disk)"
		fsfreeze -u "$MNT"
		check_child "it completes after the thaw" $writer
		proven "and did reach the disk" test "$before" != "$(hash_of_disk)"
		proven "detach" dimgsetup detach "$DEV"
	done
}

[ $# -gt 0 ] || eval "set -- $ALL"
for scenario; do
	case " $ALL " in
	*" $scenario "*) ;;
	*) die "there is no scenario $scenario: $ALL" ;;
	esac
	had=$PROVEN
	began=$SECONDS
	note "==== $scenario"
	"$scenario"
	[ $PROVEN -gt "$had" ] || fail "$scenario proved nothing"
	note "==== $scenario: $((PROVEN - had)) checks in $((SECONDS - began)) s"
done
note "errors-from-below: $# scenarios, $PROVEN checks on $(uname -r)${KTAP_FAILED:+, FAILED}"
