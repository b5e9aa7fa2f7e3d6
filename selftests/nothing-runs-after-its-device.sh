#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 128M
# requires-cpus: 2
# Claim: unloading the module waits for marks of followed files, which the kernel gives back
# some time later, and then for the group of these marks, which names our functions.
# Broken: the kernel calls code and reads memory that are not there any more.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e "$SELFTESTS/modules/entry.ko" ] || skip "modules/entry.ko is not built"

# late FUNCTION THREADS COMMAND...: while threads of that name sleep before they enter it.
# One did, or nothing is proven.
late()
{
	local function=$1 comm=$2
	shift 2
	insmod "$SELFTESTS/modules/entry.ko" function="$function" comm="$comm" delay=2000
	defer sh -c 'rmmod entry 2>/dev/null || true'
	"$@"
	sleep 4
	check "$function was late" test "$(cat /sys/module/entry/parameters/calls)" -gt 0
	rmmod entry
}

unloaded()
{
	detach "$DEV"
	check "the module goes" rmmod dimgblk
}

scratch_fs ext4
make_image "$MNT/disk.img" 1M
for function in fsnotify_mark_destroy_workfn fsnotify_put_group; do
	attach --follow "$MNT/disk.img"
	late $function kworker unloaded
	modprobe dimgblk
done
