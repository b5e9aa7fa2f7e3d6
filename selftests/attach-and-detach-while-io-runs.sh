#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-cpus: 2
# Claim: attaching and detaching other devices, and a refused detach of its own,
# do not disturb a device under load; forced detach under load leaves no trace.
# Broken: an I/O error or a wrong byte in the loaded device.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/load.sh"

requires_command fio
make_image busy.img 8M
make_image other.img 1M
attach busy.img
busy=$DEV

# Writes since the attach: udev, which has it open for a moment now and then, has none.
writes()
{
	local -a stat
	read -ra stat <"/sys/block/${busy#/dev/}/stat"
	echo "${stat[4]}"
}
writes_more_than()
{
	[ "$(writes)" -gt "$1" ]
}

# The passes of the load have gaps, in which nobody would have it open.
exec {keep}<"$busy"
verifies "$busy" 8 --iodepth=16 --size=8M --bsrange=512-64k &
load=$!
check "load runs" wait_for 15 writes_more_than 0
kernel_refuses EBUSY nl-send detach index="$(index_of "$busy")"
rounds=0
while kill -0 $load 2>/dev/null && [ $rounds -lt 10 ]; do
	attach other.img
	cmp -s other.img "$DEV" || fail "round $rounds: other bytes"
	detach "$DEV"
	rounds=$((rounds + 1))
done
note "$rounds rounds"
check_child "no error in the load" $load
exec {keep}<&-

before=$(writes)
# fio must not make a plain file of a node that is gone.
fio --name=force --filename="$busy" --allow_file_create=0 --direct=1 --rw=randrw --iodepth=16 \
	--ioengine=libaio --time_based --runtime=30 --size=8M --bs=4k >/dev/null 2>&1 &
load=$!
check "load runs" wait_for 15 writes_more_than "$before"
check "forced detach under load" detach --force "$busy"
wait $load || true
check "gone" wait_for 10 is_gone "$busy"
