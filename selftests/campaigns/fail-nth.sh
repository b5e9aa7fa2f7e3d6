#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# fail-nth.sh [-c] [-d] [-s STEP] [-l LAST] [OPERATION...]: every allocation of every operation of
# the driver fails once, alone (helpers/fail-nth.c); after each the state is that of
# before or that of after. In a guest with an empty disk, of any kernel:
#   vm/run --kernel debug --disk 512M --timeout 7200 -- selftests/campaigns/fail-nth.sh
# The debug kernel sees more, and looks for lost memory at its end; the others get
# their failures from modules/failnth.ko. -s 10 tries every tenth point only, -l 10 the
# last ten of each, -d none, -c those that take a way out of the driver: the first one in each
# call that the driver makes (modules/failnth.ko, on any kernel).
# OPERATION is one or more of: load attach detach change tell io.
# The last line is the verdict. Exit: 0 clean, 1 something was found or a sweep did
# not come to its end, 4 this kernel cannot.
set -eu -o pipefail

here=$(cd "$(dirname "$0")/.." && pwd)
PATH=$here/helpers:$PATH:/usr/sbin:/sbin
. "$here/lib/udev.sh"
disk=${TEST_DISKS:-/dev/vdb}
disk=${disk%% *}

options=() dry='' calls=0
while [ $# -gt 0 ]; do
	case $1 in
	-c) calls=1; shift ;;
	-d) dry=1; options+=(-d); shift ;;
	-s | -l) options+=("$1" "$2"); shift 2 ;;
	*) break ;;
	esac
done
[ $# -gt 0 ] || set -- load attach detach change tell io

if [ -z "$dry" ]; then
	[ ! -e /proc/dimgblk-fail-nth ] || rmmod failnth
	if [ $calls = 1 ] || [ ! -e /proc/self/fail-nth ]; then
		insmod "$here/modules/failnth.ko" calls=$calls || exit 4
	fi
fi
# Also those that may wait for memory, which are nearly all; and without a trace of
# each in the log.
for f in /sys/kernel/debug/failslab /sys/kernel/debug/fail_page_alloc; do
	[ -e $f ] || break
	echo N >$f/ignore-gfp-wait
	echo 0 >$f/verbose
	[ ! -e $f/min-order ] || echo 0 >$f/min-order
	[ ! -e $f/ignore-gfp-highmem ] || echo N >$f/ignore-gfp-highmem
done
# vmalloc warns of what it was refused, with a trace. What counts here ends the guest
# (panic_on_warn), or is asked for at its end (lockdep).
dmesg -n err

# udev would open the devices in between, and a strict detach be refused.
udev_stands_still
mnt=$(mktemp -d)
# Somebody looks at all disks, also at one whose attach is just failing.
while :; do
	mapfile -t _ </proc/diskstats
	sleep 0.01
done &
reader=$!
finish()
{
	status=$?
	trap - EXIT
	kill $reader
	udev_goes_on || [ $status != 0 ] || status=1
	umount "$mnt" 2>/dev/null || :
	exit $status
}
trap finish EXIT

mkfs.ext4 -qF "$disk"
mount "$disk" "$mnt"
image=$mnt/disk.img
truncate -s 8M "$image"
blkop "$image" write:0:8M:1
echo 'start=4096, size=8192' | sfdisk -q "$image"

sweeps=0 bad=0 points=0
started=$SECONDS
# sweep OPERATION KIND FILE
sweep()
{
	local out status=0
	out=$(fail-nth ${options[@]+"${options[@]}"} "$@" 2>&1) || status=$?
	printf '%s\n' "$out"
	sweeps=$((sweeps + 1))
	# A discard need not allocate anything in the task that sends it, nor the driver
	# in each operation.
	case $status$1$calls in
	0* | 3discard? | 3*1) ;;
	*) bad=$((bad + 1)) ;;
	esac
	points=$((points + $(sed -n 's/.*: \([0-9]*\) points failed.*/\1/p' <<<"$out" | tail -n 1)))
}

for operation; do
	if [ "$operation" = load ]; then
		! grep -q '^dimgblk ' /proc/modules || rmmod dimgblk
		sweep load - "$(modinfo -n dimgblk)"
		continue
	fi
	modprobe dimgblk
	case $operation in
	attach)
		for kind in plain named partitions window direct read-only follow owned queues; do
			sweep attach $kind "$image"
		done ;;
	detach)
		for kind in plain partitions direct follow owned; do
			sweep detach $kind "$image"
		done ;;
	change)
		sweep resize plain "$image"
		sweep resize follow "$image"
		truncate -s 8M "$image"
		sweep direct direct "$image" ;;
	tell)
		sweep get plain "$image"
		sweep get named "$image"
		sweep dump plain "$image"
		sweep event plain "$image"
		sweep join plain "$image" ;;
	io)
		for kind in plain direct window; do
			sweep read $kind "$image"
			sweep write $kind "$image"
			sweep discard $kind "$image"
		done ;;
	*)
		echo "unknown operation $operation"
		exit 2 ;;
	esac
done

# Nothing holds the file system or the module.
if ! umount "$mnt"; then
	echo "FOUND: the file system of the image cannot be unmounted"
	bad=$((bad + 1))
fi
modprobe -r dimgblk || {
	echo "FOUND: the module cannot be unloaded"
	bad=$((bad + 1))
}
echo "fail-nth: $sweeps sweeps, $points allocations failed one by one, $bad sweeps bad, $((SECONDS - started)) s"
[ $bad = 0 ]
