#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-cpus: 2
# Claim: 6 times over (DIMGBLK_ROUNDS) a new table replaces the old one, at times
# with an attach of the same image after it: each time exactly its partitions are
# there, in sysfs, as nodes and in udev's database.
# Broken: now and then a script finds no /dev/dimgblk0p1, or the one before.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/partitions.sh"
requires_command sfdisk

TABLES=('size=2M\nsize=2M\nsize=2M' 'size=5M' 'start=8M,size=1M\nsize=1M' '')
NUMBERS=("1 2 3" 1 "1 2" "")

truncate -s 16M disk.img
bad=0
attach -P --name race disk.img
for ((i = 0; i < ${DIMGBLK_ROUNDS:=6}; i++)); do
	n=$((i % 4))
	# as sfdisk(8) advises where udev is at work: locked, so that it does not look
	printf "label: gpt\n%b\n" "${TABLES[n]}" |
		sfdisk -q --wipe never --lock=yes "$DEV" >out 2>&1 ||
		{ note "round $i: sfdisk"; note_text "$(cat out)"; bad=$((bad + 1)); }
	partitions_agree "$DEV" "${NUMBERS[n]}" 2>out ||
		{ note "round $i"; note_text "$(cat out)"; bad=$((bad + 1)); }
	[ $((i % 3)) = 2 ] || continue
	detach race
	compgen -G '/dev/dimgblk*' && { note "round $i: left"; bad=$((bad + 1)); }
	attach -P --name race disk.img
	partitions_agree "$DEV" "${NUMBERS[n]}" 2>out ||
		{ note "round $i, attached again"; note_text "$(cat out)"; bad=$((bad + 1)); }
done
check_equal "things of $DIMGBLK_ROUNDS rounds that were wrong" 0 $bad
