# SPDX-License-Identifier: GPL-2.0
# Cleaning up, registered next to what it undoes and run in the reverse order
# when the script ends, whichever way. A deferred command that fails is told, and
# fails the test: what it should have removed is left behind.
# shellcheck shell=bash

DEFERRED=()

# defer COMMAND...: quoted now, run at the end.
defer()
{
	DEFERRED+=("$(printf '%q ' "$@")")
}

run_deferred()
{
	local i out
	for ((i = ${#DEFERRED[@]} - 1; i >= 0; i--)); do
		out=$(eval "${DEFERRED[i]}" 2>&1) && continue
		fail "cleaning up: ${DEFERRED[i]}"
		note_text "$out"
	done
	DEFERRED=()
}
