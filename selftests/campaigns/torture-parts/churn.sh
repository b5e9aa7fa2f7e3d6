# SPDX-License-Identifier: GPL-2.0
# Part churn: attach and detach, thousands of times, in one process; what the machine
# holds is measured after a warm-up and at the end. A leak of one small object per
# cycle is a slope that noise cannot hide. udevd is ended: at rest it would still be
# sent its events, and those that it has not read are slab.
# shellcheck shell=bash

# Cycles of the warm-up, and between two looks at the clock.
CHURN_WARMUP=500 CHURN_BLOCK=100
# At least so many, whatever time it takes.
CHURN_CYCLES=${TORTURE_CYCLES:-1000}
# KiB of slab, open files, kernel threads that 1000 cycles may seem to cost.
CHURN_SLAB_KIB=400 CHURN_FILES=2 CHURN_THREADS=2

# measure: "SLAB FILES THREADS", when all that is deferred is done.
measure()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	# RCU and work queues; each read of the file waits for nothing, so poll for calm
	wait_for 10 calm || true
	awk -v files="$(cut -f1 /proc/sys/fs/file-nr)" \
		-v threads="$(find /proc -maxdepth 1 -name '[0-9]*' | wc -l)" \
		'$1 == "SUnreclaim:" { print $2, files, threads }' /proc/meminfo
}

# Slab has not moved by more than 64 KiB for half a second.
calm()
{
	local a b
	a=$(awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo)
	sleep 0.5
	b=$(awk '$1 == "SUnreclaim:" { print $2 }' /proc/meminfo)
	[ $((a > b ? a - b : b - a)) -lt 64 ]
}

# KASAN keeps what was freed, up to a 32nd of the memory. There kmemleak is asked, when
# the guest ends.
slab_tells()
{
	[ ! -e /sys/kernel/debug/kmemleak ]
}

# slabs: "BYTES NAME" of each cache, where the kernel tells.
slabs()
{
	[ -r /proc/slabinfo ] || return 0
	awk 'NR > 2 { print $3 * $4, $1 }' /proc/slabinfo | sort -k 2
}

# grown BEFORE AFTER: the caches that have grown most, from files of slabs.
grown()
{
	join -j 2 "$1" "$2" | awk '$3 > $2 { printf "%d KiB %s\n", ($3 - $2) / 1024, $1 }' |
		sort -rn | head -n 8 | paste -sd, - | sed 's/,/, /g'
}

# slope NAME BEFORE AFTER CYCLES BOUND: per 1000 cycles.
slope()
{
	local per=$((($3 - $2) * 1000 / $4))
	note "churn: $1: $2 before, $3 after $4 cycles: $per per 1000, at most $5"
	[ "$per" -le "$5" ] || fail "churn: $1 grows by $per per 1000 cycles"
}

end_udevd()
{
	udevadm control --exit
	wait_for 60 eval '! pgrep -x systemd-udevd >/dev/null' || fail "udevd does not end"
	rm -f /run/udev/control
}

start_udevd()
{
	# not in a directory that somebody will unmount
	(cd / && exec /lib/systemd/systemd-udevd --daemon 2>/dev/null)
	wait_for 60 udevadm control --ping || fail "udevd does not come back"
}

part_churn()
{
	local end=$((SECONDS + $1)) cycles=0 before after b a
	make_image churn-a.img 1M 1
	make_image churn-b.img 1M 2
	end_udevd
	nl-malformed swap "$CHURN_WARMUP" churn-a.img churn-b.img >/dev/null || fail "churn: warm-up"
	before=$(measure)
	slabs >churn.before
	while [ $SECONDS -lt $end ] || [ $cycles -lt "$CHURN_CYCLES" ]; do
		timeout "$TORTURE_PATIENCE" nl-malformed swap "$CHURN_BLOCK" churn-a.img churn-b.img >churn.log ||
			{ fail "churn: ended with $? after $cycles cycles: $(cat churn.log)"; break; }
		cycles=$((cycles + CHURN_BLOCK))
	done
	after=$(measure)
	slabs >churn.after
	start_udevd
	read -ra b <<<"$before"
	read -ra a <<<"$after"
	note "churn: $cycles cycles; grown: $(grown churn.before churn.after)"
	[ $cycles -gt 0 ] || return 1
	! slab_tells ||
		slope "KiB of slab" "${b[0]}" "${a[0]}" $cycles $CHURN_SLAB_KIB
	slope "open files" "${b[1]}" "${a[1]}" $cycles $CHURN_FILES
	slope "tasks" "${b[2]}" "${a[2]}" $cycles $CHURN_THREADS
}
