# SPDX-License-Identifier: GPL-2.0
# KTAP for scripts that prove one claim each: the plan is always 1..1, the name of
# the test is the name of the script, every step is a diagnostic line. A failed
# check is remembered and the script goes on; an unexpected failure of any other
# command ends it, with the line told. Exit: 0 pass, 1 fail, 4 skip.
# shellcheck shell=bash

set -eEu -o pipefail

KTAP_NAME=$(basename "$0" .sh)
KTAP_FAILED=
KTAP_DONE=

note()
{
	local text=$*
	printf '# %s\n' "${text//$'\n'/\\n}"
}

# Text of several lines, each a diagnostic.
note_text()
{
	printf '%s\n' "$*" | sed 's/^/#   /'
}

fail()
{
	KTAP_FAILED=1
	note "FAILED: $*"
}

# The rest of the script makes no sense.
die()
{
	fail "$*"
	exit 1
}

skip()
{
	[ -n "$KTAP_FAILED" ] || KTAP_DONE="ok 1 - $KTAP_NAME # SKIP $*"
	exit 4
}

# check TEXT COMMAND...: the command must succeed.
check()
{
	local text=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status = 0 ]; then
		note "$text"
	else
		fail "$text"
		note_text "$* -> $status"
		[ -z "$out" ] || note_text "$out"
	fi
}

# check_fails TEXT COMMAND...: the command must fail, but not by a signal.
check_fails()
{
	local text=$1 out status=0
	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status -gt 0 ] && [ $status -lt 126 ]; then
		note "$text"
	else
		fail "$text"
		note_text "$* -> $status"
		[ -z "$out" ] || note_text "$out"
	fi
}

# check_equal TEXT WANTED GOT
check_equal()
{
	if [ "$2" = "$3" ]; then
		note "$1"
	else
		fail "$1"
		note_text "wanted: $2"
		note_text "got:    $3"
	fi
}

# is_pattern PATTERN: can it fail to match? To grep each line is a pattern of its own, and an
# empty one matches anything.
is_pattern()
{
	case $1 in
	'' | *$'\n'*)
		fail "no pattern: '$1'"
		return 1 ;;
	esac
}

# check_match TEXT PATTERN GOT: extended regular expression, any line.
check_match()
{
	is_pattern "$2" || return 0
	# no pipe: grep ends at the first match, and printf writes line by line
	if grep -Eq -- "$2" <<<"$3"; then
		note "$1"
	else
		fail "$1"
		note_text "wanted: $2"
		note_text "got:    $3"
	fi
}

# check_child TEXT PID: a background command of this shell must end with 0.
check_child()
{
	local status=0
	wait "$2" || status=$?
	check_equal "$1" 0 $status
}

# wait_for SECONDS COMMAND...: polls until it succeeds; false at the deadline. On a
# kernel that is known to be slow the deadline is later.
wait_for()
{
	local deadline=$((SECONDS + $1 * ${VM_PATIENCE:-1}))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.05
	done
}

# In a subshell only its status counts, which the shell above sees.
ktap_trap()
{
	[ "$BASH_SUBSHELL" != 0 ] || fail "line $1: $2"
}

ktap_finish()
{
	local status=$?
	trap - ERR
	set +eE
	case $status in
	0 | 1 | 4) ;;
	*) fail "the script ended with status $status" ;;
	esac
	cd /
	run_deferred
	if [ -n "$KTAP_FAILED" ] || { [ $status != 0 ] && [ -z "$KTAP_DONE" ]; }; then
		printf 'not ok 1 - %s\n' "$KTAP_NAME"
		exit 1
	fi
	printf '%s\n' "${KTAP_DONE:-ok 1 - $KTAP_NAME}"
	exit $status
}

# A test that reboots says it once.
[ "${VM_BOOT:-1}" != 1 ] || printf 'TAP version 13\n1..1\n'
trap 'ktap_trap "$LINENO" "$BASH_COMMAND"' ERR
trap ktap_finish EXIT
trap 'exit 1' HUP INT TERM
