#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Everything against everything, for as long as is wanted, in a guest that is thrown
# away. Each part can be run alone; the minutes are shared among those named.
#
#   vm/run --kernel 7.3 --mem 2048 --disk 1G --disk 512M --timeout 7200 -- \
#       selftests/campaigns/torture.sh MINUTES [PART]...
#
#   ops       four devices, all operations, a model as oracle
#   churn     attach and detach, leaks by slope (TORTURE_CYCLES=N: at least so many)
#   many      4096 devices at once (once, whatever it takes; 2 GiB of memory)
#   unload    the module comes and goes under load
#   kills     kill -9 of the tool, by the selftests that do it
#   hotplug   CPU 1 goes and comes under verified load
#   memory    swap and stacked file systems on devices (better with --mem 256)
#
# TORTURE_SEED repeats the draws of a run, but not its timing. Each part ends with a
# line of figures "torture: PART: ..."; a part that did nothing fails. Nothing done
# for 180 s (more where vm/run says that all is slow) is a hang: the blocked tasks are in
# the kernel log then.
. "$(dirname "$0")/../lib/dimgblk.sh"

ALL_PARTS="ops churn unload kills hotplug memory many"
TORTURE_PATIENCE=$((180 * ${VM_PATIENCE:-1}))
[[ ${1:-} =~ ^[1-9][0-9]*$ ]] || die "usage: $0 MINUTES [PART]...; parts: $ALL_PARTS"
minutes=$1
shift
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $ALL_PARTS
RANDOM=${TORTURE_SEED:=$((SRANDOM % 32768))}
note "TORTURE_SEED=$TORTURE_SEED, $minutes minutes for: $*"
for part; do
	[ -e "$SELFTESTS/campaigns/torture-parts/$part.sh" ] ||
		die "no part '$part'; there are: $ALL_PARTS"
	# shellcheck source=/dev/null
	. "$SELFTESTS/campaigns/torture-parts/$part.sh"
done

# What is attached by a part is attached by processes of its own, so all is looked for.
detach_all()
{
	local index
	nl-send -d get | sed -n 's/^index=//p' | while read -r index; do
		nl-send detach index="$index" detach-mode=2 >/dev/null || true
	done
	wait_for 30 nothing_attached
}

# beat NAME: NAME is alive.
beat()
{
	printf '%(%s)T\n' -1 >"$TMP/beat.$1"
}

# told TEXT...: a worker has found something; its subshell cannot fail the script.
told()
{
	note "FOUND by ${WORKER:-?}: $*" >>"$TMP/found"
}

# count NAME: one more of it.
count()
{
	echo "$1" >>"$TMP/counts.${WORKER:-main}"
}

counted()
{
	cat "$TMP"/counts.* 2>/dev/null | grep -cx -- "$1" || true
}

all_counts()
{
	cat "$TMP"/counts.* 2>/dev/null | sort | uniq -c | awk '{ printf "%s%s %s", sep, $1, $2; sep = ", " }'
}

# supervise SECONDS PID...: until the time is over or something was found; then all
# workers are asked to end ($TMP/stop) and waited for. False if one hangs.
supervise()
{
	local end=$((SECONDS + $1)) now beat file pid
	shift
	while [ $SECONDS -lt $end ] && [ ! -e "$TMP/found" ]; do
		printf -v now '%(%s)T' -1
		for file in "$TMP"/beat.*; do
			[ -e "$file" ] || continue
			beat=$(cat "$file" 2>/dev/null) || continue
			[ $((now - ${beat:-$now})) -gt $TORTURE_PATIENCE ] || continue
			echo w >/proc/sysrq-trigger
			fail "no sign of life from ${file##*.} for $TORTURE_PATIENCE s"
			return 1
		done
		sleep 1
	done
	touch "$TMP/stop"
	for pid; do
		wait_for 180 sh -c "! kill -0 $pid" || {
			echo w >/proc/sysrq-trigger
			fail "worker $pid does not end"
			return 1
		}
		wait "$pid" || told "worker $pid ended with status $?"
	done
}

for part; do
	rm -f "$TMP"/beat.* "$TMP"/counts.* "$TMP/stop" "$TMP/found"
	start=$SECONDS
	note "---- $part"
	"part_$part" $((minutes * 60 / $#)) || fail "part $part"
	if [ -e "$TMP/found" ]; then
		fail "part $part found something"
		cat "$TMP/found"
	fi
	check "nothing is left of $part" detach_all
	note "torture: $part: $((SECONDS - start)) s: $(all_counts)"
	[ -z "$KTAP_FAILED" ] || exit 1
done
note "torture: $minutes minutes, seed $TORTURE_SEED, 0 failures"
