#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: when attach returns, disk and partitions are there, as nodes, in sysfs
# and in udev's database, and the kernel sent one add each and no remove (A6, A7).
# Broken: a script that uses /dev/dimgblk0p1 in its next line fails now and then.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 16M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=4M\nsize=4M\nsize=4M\n' >/dev/null

attach_and_look()
{
	local p dev
	dev=$(dimgsetup attach -P --index 5 disk.img) || return 1
	for p in "$dev" "${dev}p1" "${dev}p2" "${dev}p3"; do
		if ! [ -b "$p" ] || ! blockdev --getsize64 "$p" >/dev/null; then
			echo "$p: no node" >&2
			return 1
		fi
		[ -e /run/udev/control ] || continue
		if ! [ -e "/run/udev/data/b$(cat "/sys/class/block/${p#/dev/}/dev")" ]; then
			echo "$p: udev has not seen it" >&2
			return 1
		fi
	done
}
export -f attach_and_look

want=$(printf 'add dimgblk5%s\n' "" p1 p2 p3)
bad=0
for ((i = 1; i <= 12; i++)); do
	events=$(uevents bash -c attach_and_look 2>stderr) ||
		{ note "round $i"; note_text "$(cat stderr)"; bad=$((bad + 1)); }
	[ "$(grep -v ^change <<<"$events" | sort)" = "$want" ] ||
		{ note "round $i: $events"; bad=$((bad + 1)); }
	dimgsetup detach /dev/dimgblk5 || bad=$((bad + 1))
	! compgen -G '/dev/dimgblk*' || bad=$((bad + 1))
done
check_equal "rounds of 12 with something missing" 0 $bad
