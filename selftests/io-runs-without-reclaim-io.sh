#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 128M
# requires-cpus: 2
# Claim: the work item that does the I/O of a device, and what makes work queues under the
# lock that all devices share, start no I/O to get memory; and who cleans
# dirty pages is not held up by how many there are.
# Broken: a write waits for memory whose pages wait behind this very write; an attach
# waits for a hung image with the lock, and all others with it.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e "$SELFTESTS/modules/entry.ko" ] || skip "modules/entry.ko is not built"

# watch FUNCTION PARAMETER...: look at who enters it; unwatch tells.
watch()
{
	insmod "$SELFTESTS/modules/entry.ko" "function=$1" "${@:2}"
	defer sh -c 'rmmod entry 2>/dev/null || true'
}

# unwatch WHAT: it happened, and never without the flags.
unwatch()
{
	local calls lacking
	calls=$(cat /sys/module/entry/parameters/calls)
	lacking=$(cat /sys/module/entry/parameters/lacking)
	rmmod entry
	note "$1: $calls calls"
	check "$1: it was seen" test "$calls" -gt 0
	check_equal "$1: calls that lacked a flag" 0 "$lacking"
}

scratch_fs ext4
make_image "$MNT/disk.img" 1M

maker=$(awk '$3 ~ /^alloc_workqueue(_noprof)?$/ { print $3; exit }' /proc/kallsyms)
[ -n "$maker" ] || fail "what does this kernel call alloc_workqueue()?"
watch "$maker" comm=nl-send noio=1
out=$(nl-send attach backing-fd=9 9<>"$MNT/disk.img") || die "attach: $out"
DEV=/dev/dimgblk$(field index "$out")
defer forget_device "$DEV" "$(field diskseq "$out")"
unwatch "work queues"

wait_for 10 test -b "$DEV"
watch ext4_file_write_iter comm=kworker noio=1 throttle=1
check "writes" blkop -d "$DEV" write:0:64K:1 read:0:64K:1
unwatch "writes"
watch ext4_file_read_iter comm=kworker noio=1 throttle=1
check "reads" blkop -d "$DEV" read:0:64K:1
unwatch "reads"
udevadm settle
detach "$DEV"
