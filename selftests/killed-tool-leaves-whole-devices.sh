#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-cpus: 2
# Claim: dimgsetup killed at any moment leaves each device fully attached or
# absent, and none claimed: an exclusive open still works (A10, A22).
# Broken: a half-made device that nothing but a reboot removes.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
attached=0 absent=0
for i in {1..20}; do
	timeout -s KILL "0.0$((RANDOM % 100))" dimgsetup attach --index 6 disk.img >/dev/null 2>&1 || true
	# The kernel finishes what it was asked; the reply has nobody to go to.
	out=$(nl-send get index=6) || true
	if [[ $out == ENODEV* ]]; then
		absent=$((absent + 1))
		continue
	fi
	attached=$((attached + 1))
	wait_for 10 test -b /dev/dimgblk6 || fail "round $i: no node"
	cmp -s disk.img /dev/dimgblk6 || fail "round $i: not readable"
	udevadm settle
	wait_for 5 blkop -x /dev/dimgblk6 read:0:512:1 || fail "round $i: claimed"
	timeout -s KILL "0.0$((RANDOM % 100))" dimgsetup detach /dev/dimgblk6 >/dev/null 2>&1 || true
	udevadm settle
	! is_attached /dev/dimgblk6 || dimgsetup detach /dev/dimgblk6 || fail "round $i: detach"
done
note "$attached attached, $absent absent"
check "nothing is left" nothing_attached
check "the module is free" modprobe -r dimgblk
modprobe dimgblk
