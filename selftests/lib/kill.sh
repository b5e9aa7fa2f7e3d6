# SPDX-License-Identifier: GPL-2.0
# kill -9 at random points: runs a command again and again, kills it somewhere
# within its usual run time, and lets a check look at what is left each time.
# Sourced after dimgblk.sh. DIMGBLK_KILL_POINTS is the number of points,
# DIMGBLK_KILL_SEED repeats a run that failed (as far as timing can be repeated).
# shellcheck shell=bash

KILL_POINTS=${DIMGBLK_KILL_POINTS:-17}

requires_command setsid pgrep pkill

# kill_points SETUP CHECK COMMAND...
#
# SETUP and CHECK are functions. Each round: SETUP; COMMAND (a program, no
# function) begins in a session of its own; after a random part of its run time
# it is killed; CHECK ROUND must be true, and tells what it found with "fail".
# COMMAND runs undisturbed twice first: that must succeed, and gives the run time.
# When it has always ended before, as it was slow then, a few earlier points follow.
#
# KILL_WHOM=all (default): COMMAND and all that it started. KILL_WHOM=tool:
# COMMAND alone; what it started is waited for. KILL_WHOM=both: in turns.
kill_points()
{
	local setup=$1 check=$2 round usual=0 ended=0 delay whom points=$KILL_POINTS
	shift 2
	RANDOM=${DIMGBLK_KILL_SEED:=$((SRANDOM % 32768))}
	# the first time is longer than usual: nothing is in memory
	for round in 1 2; do
		"$setup"
		kill_measure "$@" || return 0
		"$check" 0 || fail "undisturbed: $*"
		[ $round = 2 ] && [ "$usual" -lt "$KILL_USUAL_MS" ] || usual=$KILL_USUAL_MS
	done
	note "$points points within $usual ms, DIMGBLK_KILL_SEED=$DIMGBLK_KILL_SEED: $*"
	for ((round = 1; round <= points; round++)); do
		"$setup"
		# a tenth more than the run time, so that the end is hit, too
		delay=$(((RANDOM * 32768 + RANDOM) % (usual * 1100 + 1)))
		whom=${KILL_WHOM:-all}
		[ "$whom" != both ] || whom=$([ $((round % 2)) = 0 ] && echo all || echo tool)
		kill_once "$whom" $delay "$@" || ended=$((ended + 1))
		"$check" $round || fail "round $round: killed ($whom) after $delay us: $*"
		# when nothing was killed nothing was proven
		if [ $ended = "$points" ] && [ "$points" -lt $((KILL_POINTS + 6)) ]; then
			points=$((points + 1))
			usual=$((usual / 2))
		fi
	done
	note "killed $((points - ended)) times; it had ended before $ended times"
	[ $ended -lt "$points" ] || fail "not killed once: $*"
}

# KILL_USUAL_MS becomes the run time of COMMAND.
kill_measure()
{
	local start=$EPOCHREALTIME out
	if ! out=$("$@" 2>&1); then
		fail "undisturbed: $*"
		note_text "$out"
		return 1
	fi
	KILL_USUAL_MS=$(((${EPOCHREALTIME/./} - ${start/./}) / 1000 + 1))
}

# kill_once all|tool MICROSECONDS COMMAND...: false if it had ended before. Waits
# and kills without a program of its own: one takes as long to start as COMMAND does.
kill_once()
{
	local whom=$1 delay=$2 pid status=0
	shift 2
	setsid "$@" >/dev/null 2>&1 &
	pid=$!
	kill_wait "$delay"
	# $pid is the group and the session, too: setsid became the command without a
	# fork, unless it has not come so far yet
	[ "$whom" = tool ] || kill -KILL -- -$pid 2>/dev/null || true
	kill -KILL $pid 2>/dev/null || true
	wait $pid 2>/dev/null || status=$?
	[ "$whom" = tool ] || wait_for 10 kill_session $pid || fail "does not die: $*"
	wait_for 60 kill_session_ended $pid || fail "goes on for ever: $*"
	[ $status = 137 ]
}

# kill_wait MICROSECONDS: until nobody has written to a pipe that nobody writes to.
kill_wait()
{
	local fifo
	if [ -z "${KILL_CLOCK:-}" ]; then
		# not in $TMP, which has to be unmounted before this shell ends
		fifo=$(mktemp -u /tmp/dimgblk-clock.XXXXXX)
		mkfifo "$fifo"
		exec {KILL_CLOCK}<>"$fifo"
		rm "$fifo"
	fi
	read -r -t "$(($1 / 1000000)).$(printf %06d $(($1 % 1000000)))" -u "$KILL_CLOCK" || true
}

# True when nobody is left; kills those that were just being born.
kill_session()
{
	! pkill -KILL -s "$1"
}

kill_session_ended()
{
	! pgrep -s "$1" >/dev/null
}
