#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-cpus: 2
# Claim: loading and unloading the module as fast as possible while others attach,
# list and detach gives success or an error each time, nothing else (I1, I6).
# Broken: an oops, a duplicate sysfs name, a device without a driver.
. "$(dirname "$0")/lib/dimgblk.sh"

# One attaches and detaches, with gaps in which the module is unused; one lists.
make_image 1.img 1M
(
	while [ ! -e stop ]; do
		! nl-send attach backing-fd=9 index=1 direct=0 9<>1.img || touch attached
		nl-send detach index=1 detach-mode=2
		for _ in {1..8}; do nl-send -d get; done
	done >/dev/null 2>&1 || true
) &
(
	while [ ! -e stop ]; do nl-send -d get; done >/dev/null 2>&1 || true
) &
stop_all()
{
	touch "$TMP/stop"
	wait
}
unloaded=0
enough=$((SECONDS + 6)) deadline=$((SECONDS + 20 * ${VM_PATIENCE:-1}))
# on, where that was too slow to prove anything
while [ $SECONDS -lt $enough ] ||
	{ [ $SECONDS -lt $deadline ] && { [ $unloaded = 0 ] || [ ! -e attached ]; }; }; do
	! rmmod dimgblk 2>/dev/null || unloaded=$((unloaded + 1))
	modprobe dimgblk || fail "modprobe"
done
stop_all
note "unloaded $unloaded times"
check "the module was unloaded in between" test $unloaded -gt 0
check "a device was attached in between" test -e attached
nl-send detach index=1 detach-mode=2 >/dev/null 2>&1 || true
check "nothing is left" wait_for 10 nothing_attached
make_image disk.img 1M
attach disk.img
check "the driver works" cmp disk.img "$DEV"
