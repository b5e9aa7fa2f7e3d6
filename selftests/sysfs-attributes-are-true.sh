#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: the attributes in /sys/block/dimgblkN/dimgblk have loop's names, the
# modes of the design, and the values of the device.
# Broken: programs that read loop's sysfs see something else here.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
attach -r -o 1M --sizelimit 2M --direct-io=off --name tester --auto-detach --allow-overlap disk.img
modes=$(cd "/sys/block/${DEV#/dev/}/dimgblk" && stat -c '%n %a' -- *)
want=$(sort <<-E
	autoclear 444
	backing_file 400
	dio 444
	direct 444
	direct_reason 444
	follow 444
	name 444
	offset 444
	overlap 444
	partscan 444
	sizelimit 444
	state 444
E
)
check_equal "names and modes" "$want" "$(sort <<<"$modes")"
value() { check_equal "$1" "$2" "$(sysfs "$DEV" "dimgblk/$1")"; }
value autoclear 1
value backing_file "$TMP/disk.img"
value dio 0
value direct off
value follow 0
value name tester
value offset 1048576
value overlap 1
value partscan 0
value sizelimit 2097152
value state live
for f in "/sys/block/${DEV#/dev/}/dimgblk"/*; do
	check_fails "${f##*/} is not writable" sh -c "echo 1 >$f"
done
