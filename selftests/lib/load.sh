# SPDX-License-Identifier: GPL-2.0
# Load that proves itself: fio writes blocks and reads them again, pass after pass.
# shellcheck shell=bash

# verifies DEV SECONDS OPTION...: the status of the first pass that failed, whose words
# are printed then. Not with --time_based: there fio begins its map of random blocks
# anew in the middle of a pass once all are taken, and then misses what it has
# overwritten itself.
verifies()
{
	local end=$((SECONDS + $2)) pass=0 status
	local -a fio=(fio --name=verify --filename="$1" --allow_file_create=0 --direct=1
		--rw=randrw --ioengine=libaio --verify=crc32c --verify_fatal=1 "${@:3}")

	while [ $SECONDS -lt $end ]; do
		pass=$((pass + 1))
		status=0
		"${fio[@]}" --randseed=$pass >verify.out 2>&1 || status=$?
		[ $status != 0 ] || continue
		note "pass $pass of fio failed"
		note_text "$(head -n 40 verify.out)"
		return $status
	done
}
