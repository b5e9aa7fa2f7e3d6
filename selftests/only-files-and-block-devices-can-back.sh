#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: what is no regular file and no block device is refused with EINVAL and a
# sentence: directories, pipes, sockets, character devices, anonymous inodes,
# files of proc, sysfs, debugfs, tracefs, cgroup and configfs (L7, A12).
# Broken: an oops in a missing read_iter, or a disk made of /proc/kcore.
. "$(dirname "$0")/lib/dimgblk.sh"

refuse_kind()
{
	local out
	out=$(fdzoo "$@" -- nl-send attach backing-fd=9 2>&1) || true
	case $out in
	EINVAL:\ ?????????*) note "$*: $out" ;;
	ENOSYS | EPERM | ENODEV | ENXIO | EACCES | EOPNOTSUPP)
		note "$*: no such thing on this kernel ($out)" ;;
	*) fail "$*: $out" ;;
	esac
}

for kind in $(fdzoo --list); do
	refuse_kind "$kind"
done
# an attribute of configfs has a page cache and takes writes
# (not unloaded: configfs of Linux 6.1, which goes along, is called back after that)
if modprobe -q null_blk nr_devices=0 && ! mountpoint -q /sys/kernel/config; then
	mount -t configfs configfs /sys/kernel/config
	defer umount /sys/kernel/config
fi
mkfifo fifo
for path in fifo /dev/null /dev/zero /dev/mem /dev/tty0 /dev/ptmx /proc/self/mem \
	/proc/sys/kernel/sysrq /sys/kernel/debug/clear_warn_once \
	/sys/kernel/tracing/trace_marker /sys/fs/cgroup/cgroup.procs; do
	[ -e $path ] || continue
	refuse_kind rdwr $path
	refused '4' '.{20,}' dimgsetup attach --index 9 $path
done
for path in . / /proc /proc/self/status /proc/kcore /proc/version /sys/kernel/uevent_seqnum /sys/kernel/vmcoreinfo \
	/sys/kernel/config/nullb/features /sys/kernel/debug/sched/features /sys/kernel/tracing/available_tracers; do
	[ -e $path ] || continue
	refuse_kind rdonly $path
done
refused 4 'director' dimgsetup attach -r .
check "nothing came into being" nothing_attached
