#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# requires-cpus: 2
# Claim: requests leave no memory behind: merged ones, with more segments than a command
# has room for, and those of a cgroup that is gone afterwards.
# Broken: the kernel's slab grows with each request, or dead cgroups add up.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command fio

# KiB that the slab may be larger after than before.
NOISE=600

# load LOOPS: 64 writes of 4 KiB at a time, side by side, which become one request.
load()
{
	fio --name=load --filename="$DEV" --direct=1 --ioengine=libaio --rw=write --bs=4k \
		--size=4M --loops="$1" --iodepth=64 --iodepth_batch_submit=64 \
		--iodepth_batch_complete_min=64 --iodepth_batch_complete_max=64 --minimal >fio.log ||
		fail "fio: $(cat fio.log)"
}

slab()
{
	awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo
}

# What is freed later has been.
calm()
{
	local before
	before=$(slab)
	sleep 0.5
	[ $(($(slab) - before)) -lt 32 ] && [ $((before - $(slab))) -lt 32 ]
}

measure()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	wait_for 10 calm || true
	slab
}

merges()
{
	awk '{ print $6 }' "/sys/block/${DEV#/dev/}/stat"
}

dead_cgroups()
{
	awk '$1 == "nr_dying_descendants" { print $2 }' cgroup/cgroup.stat
}

scratch_fs ext4
make_image "$MNT/disk.img" 4M
sync
attach --direct-io=on "$MNT/disk.img"

load 2
before=$(measure) merged=$(merges)
load 60
merged=$(($(merges) - merged))
after=$(measure)
note "slab: $before KiB before, $after after 15,360 writes, of which $merged were merged"
check "most of them were merged" test $merged -gt 10000
# KASAN keeps what was freed; there kmemleak looks when the guest ends
[ -e /sys/kernel/debug/kmemleak ] ||
	check "and left no memory behind" test $((after - before)) -le $NOISE

mkdir cgroup
mount -t cgroup2 none cgroup 2>/dev/null || skip "no cgroup2"
defer release_mount "$TMP/cgroup"
grep -qw io cgroup/cgroup.controllers || skip "no io controller"
for c in io memory; do
	grep -qw $c cgroup/cgroup.subtree_control || {
		echo +$c >cgroup/cgroup.subtree_control
		defer sh -c "echo -$c >'$TMP/cgroup/cgroup.subtree_control'"
	}
done
was=$(dead_cgroups)
for i in 1 2 3 4 5 6 7 8; do
	mkdir cgroup/leak
	# shellcheck disable=SC2016
	sh -c 'echo $$ >cgroup/leak/cgroup.procs && exec blkop -d "$1" write:0:1M:$2 read:0:1M:$2' \
		- "$DEV" $i
	rmdir cgroup/leak
done
few_dead()
{
	echo 3 >/proc/sys/vm/drop_caches
	[ $(($(dead_cgroups) - was)) -le 2 ]
}
check "cgroups that are gone are forgotten" wait_for 20 few_dead
note "dead cgroups: $was before, $(dead_cgroups) after"
