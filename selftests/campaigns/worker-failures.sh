#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Failures under the driver's workers, where the fail-nth of a submitter does not reach:
# memory for the work items and the file system below them, and I/O of the disk at the
# bottom, while data are written and read through the page cache and past it
# (helpers/unsure.c). What is asked for: a request ends with the right bytes or with the
# errno of what failed; what was acknowledged and flushed is there; the record tells;
# when nothing fails any more, all is well again. In a guest of any kernel:
#   vm/run --kernel debug --disk 320M --disk 256M --timeout 1800 -- \
#       selftests/campaigns/worker-failures.sh [SECONDS] [SCENARIO]...
# The seconds (60) of load are shared among the scenarios: slab, pages, disk
# (but not the journal of the file system below), journal (it, too), raw disks, changes.
# Four more are no test of ours, as ext4 does not survive them by itself: ext4-slab and
# ext4-pages, and bare-slab and bare-pages, which do the same to two files on ext4 without
# a device.
# WORKER_SEED repeats the draws of a run, but not its timing. A scenario in which nothing
# failed has failed. The last line but one has the figures; exit: 0 clean, 1 something
# was found, 4 this kernel cannot.
# shellcheck source=selftests/lib/dimgblk.sh
. "$(dirname "$0")/../lib/dimgblk.sh"
# shellcheck source=selftests/lib/failures.sh
. "$SELFTESTS/lib/failures.sh"

ALL="slab pages disk journal raw changes"
EXT4="ext4-slab ext4-pages bare-slab bare-pages"
# Of the model, in bytes; the image has half of that more, which may come and go.
AREA=4M
seconds=60
[[ ! ${1:-} =~ ^[1-9][0-9]*$ ]] || { seconds=$1; shift; }
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $ALL
for scenario; do
	[[ " $ALL $EXT4 " = *" $scenario "* ]] ||
		die "there is no scenario $scenario: $ALL $EXT4"
done
RANDOM=${WORKER_SEED:=$((SRANDOM % 32768))}
each=$((seconds / $#))
[ $each -gt 2 ] || each=3
note "WORKER_SEED=$WORKER_SEED, $each s each of: $*"

OPERATIONS=0 REFUSED=0 CHANGES=0 UNSURE=0 ABORTED=0
LIVE=() STATES=() FILES=()
DISKS=${TEST_DISKS:-/dev/vdb /dev/vdc}

# ---- what is below: an ext4 on the first disk, or both disks themselves ---------

# Failures of memory come with xfs below. ext4 alone, without a device of ours, does not
# survive them: see bare().
below_xfs()
{
	below_fs xfs
}

below_ext4()
{
	below_fs ext4 "$@"
}

# below_fs TYPE [mkfs option]...
below_fs()
{
	BELOW=$1
	scratch_disk 1
	make_fs "$BELOW" "$DISK" "${@:2}"
	mkdir -p mnt
	mount "$DISK" mnt
	truncate -s 6M mnt/past.img mnt/through.img
	FILES=(mnt/past.img mnt/through.img)
	begin -b 4096 --direct-io=on mnt/past.img
	begin --direct-io=off mnt/through.img
}

# With the journal elsewhere: when it cannot be written the file system gives up.
below_external()
{
	scratch_disk 2
	make_fs ext4 "$DISK" -b 4096 -O journal_dev
	below_ext4 -b 4096 -J "device=$DISK"
}

below_raw()
{
	scratch_disk 1
	begin --sizelimit 6M --direct-io=on "$DISK"
	FILES=("$DISK")
	scratch_disk 2
	begin --sizelimit 6M --direct-io=off "$DISK"
	FILES+=("$DISK")
}

# begin [option]... FILE: one more device, with known bytes.
begin()
{
	attach "$@"
	STATES+=("state${#LIVE[@]}")
	LIVE+=("$DEV")
	unsure init "$DEV" "${STATES[-1]}" $AREA
}

# Would the file system below store something? Not if its journal has been aborted. And
# has it lost nothing of what it said it had stored? It tells the log only.
below_is_well()
{
	[ -b "${FILES[0]}" ] || {
		! dmesg_since_mark | grep 'potential data loss' >/dev/null &&
			truncate -s 4K mnt/probe && blkop mnt/probe write:0:4K:1 fsync
	}
}

# ---- load ----------------------------------------------------------------------

# What the load does to its device now and then. Whatever fails, the next flush need
# not tell of it.
make_change_script()
{
	cat >change <<-'C'
		#!/bin/bash
		case $((RANDOM % 4)) in
		0) dimgsetup set "$1" --direct-io=off ;;
		1) dimgsetup set "$1" --direct-io=auto ;;
		2) truncate -s $((4 + RANDOM % 4))M "$2" && dimgsetup resize --shrink "$1" ;;
		3) dimgsetup list ;;
		esac >/dev/null 2>&1
	C
	chmod +x change
}

# load SECONDS [option]...: on all devices at once, in the background: PIDS.
load()
{
	local i options
	PIDS=()
	for i in "${!LIVE[@]}"; do
		options=("${@:2}")
		[ "$i" = 0 ] || options+=(-b)
		# What ext4 makes of holes whose data could not be written is not ours.
		[ "$scenario" != disk ] || options+=(-n)
		[ "$scenario" != changes ] || [ "${2:-}" = -s ] ||
			options+=(-x "$TMP/change ${LIVE[i]} $TMP/${FILES[i]}")
		unsure load "${options[@]}" "${LIVE[i]}" "${STATES[i]}" \
			"$(blockdev --getss "${LIVE[i]}")" "$RANDOM" "$1" >"load$i" 2>&1 &
		PIDS+=($!)
	done
}

# A third device comes and goes, until the file stop is there.
come_and_go()
{
	local dev n=0 no=0
	[ -e mnt/third.img ] || make_image mnt/third.img 1M
	while [ ! -e stop ]; do
		n=$((n + 1))
		dev=$(timeout 60 dimgsetup attach mnt/third.img 2>/dev/null) || {
			no=$((no + 1))
			dimgsetup detach --all mnt/third.img >/dev/null 2>&1 || :
			continue
		}
		blkop -r -d "$dev" read:64K:64K:1 >/dev/null || [ $? = 1 ] ||
			echo "$dev showed wrong bytes" >found
		timeout 60 dimgsetup detach --lazy "$dev" >/dev/null 2>&1 || no=$((no + 1))
	done
	echo "$n $no" >changes
}

forget_pages()
{
	while [ ! -e stop ]; do
		echo 1 >/proc/sys/vm/drop_caches
		sleep 0.5
	done
}

# all_end SECONDS: the loads have ended by then, or something hangs.
all_end()
{
	local pid i status
	for i in "${!PIDS[@]}"; do
		pid=${PIDS[i]}
		wait_for "$1" sh -c "! kill -0 $pid" || {
			echo w >/proc/sysrq-trigger
			die "${LIVE[i]}: the load does not end"
		}
		status=0
		wait "$pid" || status=$?
		note "${LIVE[i]}: $(tail -n 1 "load$i")"
		if [ $status != 0 ]; then
			fail "${LIVE[i]}: the load ended with $status"
			note_text "$(cat "load$i")"
		fi
	done
}

# count_load TRUE-ERRNO...: adds the figures up, and looks at the errnos.
count_load()
{
	local i word text
	for i in "${!LIVE[@]}"; do
		text=$(tail -n 1 "load$i")
		[[ $text =~ ^load:\ ([0-9]+)\ operations,\ ([0-9]+)\ failed ]] ||
			die "no figures: $text"
		OPERATIONS=$((OPERATIONS + BASH_REMATCH[1]))
		REFUSED=$((REFUSED + BASH_REMATCH[2]))
		text=${text#*errnos:}
		for word in ${text%;*}; do
			[[ " short $* " = *" ${word%=*} "* ]] ||
				fail "${LIVE[i]}: ${word%=*} is not what failed: $*"
		done
		# What a caller was told is in the record, too. A change is none of its.
		[[ $(tail -n 1 "load$i") =~ (write|dsync|read|flush|punch)\ [1-9] ]] || continue
		check "${LIVE[i]}: show tells of the failures" told_by_show "${LIVE[i]}"
	done
}

told_by_show()
{
	local errors
	errors=$(dimgsetup list -n -o ERRORS "$1" | tr -d ' ')
	[ "${errors:-0}" -gt 0 ] && dimgsetup show "$1" | grep -q '^last error: .*E'
}

# ---- one scenario ----------------------------------------------------------------

# under LOWER ERRNOS COMMAND...: each command makes something fail.
under()
{
	local before=$((FAILED_SLAB + FAILED_PAGES + FAILED_BIOS)) command i others
	LIVE=() STATES=()
	dmesg_mark
	"below_$1"
	udevadm settle
	rm -f stop changes
	load $each
	forget_pages &
	others=($!)
	for command in "${@:3}"; do
		$command
	done
	if [ "$scenario" = changes ]; then
		come_and_go &
		others+=($!)
	fi
	all_end $((each + 120))
	touch stop
	for i in "${others[@]}"; do
		wait_for 180 sh -c "! kill -0 $i" || die "somebody does not end"
		wait "$i" || fail "line of $i ended with $?"
	done
	failures_off
	before=$((FAILED_SLAB + FAILED_PAGES + FAILED_BIOS - before))
	check "$before failures, more than none" test $before -gt 0
	# shellcheck disable=SC2086
	count_load $2
	if [ -e changes ]; then
		read -r i others <changes
		CHANGES=$((CHANGES + i))
		note "$i attachments of a third device, $others of them or their ends refused"
		check "that is more than none" test "$i" -gt 0
		check "with the bytes of their image" test ! -e found
		dimgsetup detach --all mnt/third.img >/dev/null 2>&1 || :
		attach -r mnt/third.img
		check "it can be had now" cmp mnt/third.img "$DEV"
		check "and let go" detach "$DEV"
	fi
	judge
}

# Nothing fails any more.
judge()
{
	local i out
	echo 3 >/proc/sys/vm/drop_caches
	if below_is_well >/dev/null 2>&1; then
		for i in "${!LIVE[@]}"; do
			look "${LIVE[i]}" "${STATES[i]}"
		done
		load 3 -s
		all_end 120
	else
		ABORTED=$((ABORTED + 1))
		note "the file system below has told of losses: the bytes are not judged"
	fi
	for i in "${!LIVE[@]}"; do
		out=$(dimgsetup detach "${LIVE[i]}" 2>&1) || note "detach: $out"
		check "${LIVE[i]} is gone" wait_for 20 is_gone "${LIVE[i]}"
	done
	check "no other device is left" wait_for 20 nothing_attached
	if below_is_well >/dev/null 2>&1; then
		echo 3 >/proc/sys/vm/drop_caches
		for i in "${!FILES[@]}"; do
			look "${FILES[i]}" "${STATES[i]}"
		done
	fi
	[ -b "${FILES[0]}" ] || judge_below
}

# look FILE STATE
look()
{
	local out status=0
	out=$(unsure check "$1" "$2" 2>&1) || status=$?
	[[ ! $out =~ \ ([0-9]+)\ of\ them ]] || UNSURE=$((UNSURE + BASH_REMATCH[1]))
	check_equal "$1: $(tail -n 1 <<<"$out")" 0 $status
	[ $status = 0 ] || note_text "$out"
}

# A file system below that had noticed may have something to repair.
judge_below()
{
	local status=0 out state
	check "the file system below is free" wait_for 20 umount mnt
	if [ "$BELOW" = xfs ]; then
		out=$(xfs_repair -n "$DISK" 2>&1) || fail "xfs_repair finds: $out"
		return
	fi
	state=$(dumpe2fs -h "$DISK" 2>/dev/null | sed -n 's/^Filesystem state: *//p')
	out=$(e2fsck -fn "$DISK" 2>&1) || status=$?
	if [ $status = 0 ] || [[ $state = *error* ]]; then
		note "fsck of the file system below: $status ($state)"
	else
		fail "fsck of the file system below: $status ($state)"
		note_text "$out"
	fi
}

slab()
{
	under xfs "ENOMEM EIO" "fail_slab 5"
}

pages()
{
	under xfs "ENOMEM EIO" "fail_pages 5"
}

disk()
{
	under external "EIO EROFS" "fail_disks 4 ${DISKS%% *}"
}

journal()
{
	under ext4 "EIO EROFS" "fail_disks 3 ${DISKS%% *}"
}

raw()
{
	under raw "EIO" "fail_disks 5 $DISKS"
}

changes()
{
	make_change_script
	under xfs "ENOMEM EIO EROFS" "fail_slab 3 10" "fail_pages 3 10"
}

ext4_slab()
{
	under ext4 "ENOMEM EIO" "fail_slab 5"
}

ext4_pages()
{
	under ext4 "ENOMEM EIO" "fail_pages 5"
}

bare_slab()
{
	bare slab
}

bare_pages()
{
	bare pages
}

# bare WHAT: round after round of some seconds, each on a new file system.
bare()
{
	local i end=$((SECONDS + each)) rounds=0 wrong=0 status pid
	[ "$FAIL_MEMORY" = module ] || die "only modules/failwork.ko can do that"
	mkdir -p mnt
	while [ $SECONDS -lt $end ]; do
		scratch_disk 1
		make_fs ext4 "$DISK"
		mount "$DISK" mnt
		rounds=$((rounds + 1))
		FILES=(mnt/past.img mnt/through.img)
		for i in 0 1; do
			unsure init "${FILES[i]}" "state$i" $AREA
		done
		rm -f stop
		forget_pages &
		pid=$!
		"fail_$1" 5
		PIDS=()
		unsure load "${FILES[0]}" state0 4096 "$RANDOM" 4 >load0 2>&1 &
		PIDS+=($!)
		unsure load -b "${FILES[1]}" state1 512 "$RANDOM" 4 >load1 2>&1 &
		PIDS+=($!)
		for i in 0 1; do
			status=0
			wait "${PIDS[i]}" || status=$?
			[ $status -le 1 ] || die "no load: $(cat "load$i")"
			wrong=$((wrong + status))
			note_text "$(cat "load$i")"
		done
		failures_off
		touch stop
		wait $pid
		umount mnt
	done
	note "$rounds rounds of two files, $wrong files with bytes that nobody wrote there last"
}

# The module is told when it is loaded whose allocations fail.
case " $* " in
*" bare-"*) set_comm=unsure-fails ;;
esac
failures_setup "$WORKER_SEED" ${set_comm:+comm="$set_comm"} ||
	skip "neither fault injection nor modules/failwork.ko"
for scenario; do
	began=$SECONDS
	note "==== $scenario"
	"${scenario//-/_}"
	[ -z "$KTAP_FAILED" ] || note_text "$(dmesg | grep -aE 'EXT4-fs|XFS' | tail -n 40 || :)"
	note "==== $scenario: $((SECONDS - began)) s"
done
check "the module can be unloaded" modprobe -r dimgblk
figures="$# scenarios, $OPERATIONS operations, $REFUSED failed, under \
$FAILED_SLAB + $FAILED_PAGES failed allocations (slab, pages) and $FAILED_BIOS failed bios, \
$CHANGES other attachments, $UNSURE sectors unsure, $ABORTED times losses told below"
note "worker-failures: $figures, $((SECONDS)) s, seed $WORKER_SEED${KTAP_FAILED:+, FAILED}"
# shellcheck disable=SC2034 # read by ktap.sh
KTAP_DONE="ok 1 - $KTAP_NAME # $figures"
