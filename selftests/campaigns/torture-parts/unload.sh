# SPDX-License-Identifier: GPL-2.0
# Part unload: the selftest of unload races, again and again.
# shellcheck shell=bash

part_unload()
{
	again "$1" unload-races-with-attach
}

# again SECONDS TEST...: selftests until the time is over, each a process of its own.
again()
{
	local end=$((SECONDS + $1)) test
	shift
	until [ $SECONDS -ge $end ] && [ "$(counted "$1")" -gt 0 ]; do
		for test; do
			[ $SECONDS -lt $end ] || [ "$(counted "$test")" = 0 ] || continue
			if ! timeout 600 "$SELFTESTS/$test.sh" >again.log 2>&1; then
				told "$test"
				note_text "$(tail -n 30 again.log)"
				return 1
			fi
			count "$test"
		done
	done
}
