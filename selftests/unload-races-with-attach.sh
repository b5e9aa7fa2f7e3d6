#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: loading and unloading the module as fast as possible while others attach,
# list and detach gives success or an error each time, nothing else (I1, I6).
# Broken: an oops, a duplicate sysfs name, a device without a driver.
. "$(dirname "$0")/lib/dimgblk.sh"

for i in 1 2; do
	make_image $i.img 1M
	(
		while [ ! -e stop ]; do
			nl-send attach backing-fd=9 index=$i direct=0 9<>$i.img
			nl-send -d get
			nl-send detach index=$i detach-mode=2
		done >/dev/null 2>&1 || true
	) &
done
stop_all()
{
	touch "$TMP/stop"
	wait
}
unloaded=0
deadline=$((SECONDS + 6))
while [ $SECONDS -lt $deadline ]; do
	! rmmod dimgblk 2>/dev/null || unloaded=$((unloaded + 1))
	modprobe dimgblk || fail "modprobe"
done
note "unloaded $unloaded times"
stop_all
for i in 1 2; do
	nl-send detach index=$i detach-mode=2 >/dev/null || true
done
check "nothing is left" wait_for 10 nothing_attached
make_image disk.img 1M
attach disk.img
check "the driver works" cmp disk.img "$DEV"
