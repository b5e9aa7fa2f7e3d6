#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: while the disk under one image answers nothing, list, attach, I/O and
# detach of other devices work as quickly as ever (A19).
# Broken: one worker or one lock for all, an administrator who cannot even look.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

mapped_fs ext2
make_image mnt/hung.img 8M
make_image good.img 4M

# Direct, the request is stuck below; buffered, a worker is stuck with it.
for mode in on off; do
	attach --direct-io=$mode mnt/hung.img
	hung=$DEV
	# what was written, and what udev read to look at the contents
	sync
	echo 1 >/proc/sys/vm/drop_caches
	mapped_disk_hangs
	blkop -d "$hung" read:0:64K:1 >/dev/null 2>&1 &
	stuck=$!
	check "direct=$mode: a request is stuck" wait_for 10 in_flight "$hung"

	check_match "list" "$hung" "$(timeout 10 dimgsetup list)"
	check_match "show" "$hung" "$(timeout 10 dimgsetup show "$hung")"
	for i in 1 2; do
		attach good.img
		check "attach, round $i" test -b "$DEV"
		check "I/O, round $i" timeout 10 cmp good.img "$DEV"
		check "detach, round $i" timeout 10 dimgsetup detach "$DEV"
	done
	other=$([ $mode = on ] && echo off || echo on)
	status=0
	timeout 20 dimgsetup set "$hung" --direct-io="$other" 2>/dev/null || status=$?
	check_equal "a change of the hung one gives up by itself" 7 $status
	check "the stuck one is still stuck" kill -0 $stuck
	mapped_disk_answers
	check_child "and ends after the disk came back" $stuck
	detach "$hung"
done
