#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a worker of the kernel that has served requests is as any other afterwards: it
# may start I/O for memory, and is throttled as all are.
# Broken: PF_MEMALLOC_NOIO or PF_LOCAL_THROTTLE stays with kworkers that others use, too.
. "$(dirname "$0")/lib/dimgblk.sh"

# include/linux/sched.h: the same bits in 6.1, 6.12 and 7.3.
NOIO=0x00080000 THROTTLE=0x00100000

# marked BITS: how many kworkers have one of them, between two pieces of work. Fields of
# stat behind the name, which may have blanks: state, ppid, ..., flags is the seventh.
marked()
{
	local stat fields n=0
	for stat in /proc/[0-9]*/stat; do
		read -r fields 2>/dev/null <"$stat" || continue
		[[ $fields == *"(kworker/"* ]] || continue
		read -ra fields <<<"${fields##*) }"
		if ((fields[6] & $1)); then n=$((n + 1)); fi
	done
	echo $n
}

none_marked()
{
	[ "$(marked $((NOIO | THROTTLE)))" = 0 ]
}

check "nobody has the flags at first" wait_for 10 none_marked
make_image disk.img 4M
attach --direct-io=off disk.img
pids=()
for i in 0 1 2 3 4 5 6 7; do
	blkop -d "$DEV" "write:$((i * 512))K:512K:$i" "read:$((i * 512))K:512K:$i" fsync &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid" || fail "requests on several CPUs: status $?"
done
check "nobody has them afterwards" wait_for 10 none_marked
note "$(grep -l kworker /proc/[0-9]*/comm 2>/dev/null | wc -l) workers"
detach "$DEV"
