#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# requires-cpus: 2
# Claim: while a request waits for a frozen file system, its CPU can be taken offline, and
# other images can be attached meanwhile; after the thaw the request completes.
# Broken: a CPU that never goes, with a lock that each new disk needs: suspend hangs, and
# attach for everybody.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command fsfreeze taskset
online=/sys/devices/system/cpu/cpu1/online
[ -w $online ] || skip "no second CPU that can be taken offline"
scratch_fs ext4
make_image "$MNT/disk.img" 4M
make_image good.img 1M
sync -f "$MNT"
thaw()
{
	fsfreeze -u "$MNT" 2>/dev/null || true
}
back_online()
{
	echo 1 >$online
}

for mode in on off; do
	attach --direct-io=$mode "$MNT/disk.img"
	stuck=$DEV
	udevadm settle
	defer back_online
	defer thaw
	fsfreeze -f "$MNT"
	# should this script be stuck, someone else has to thaw
	sh -c "cd /; timeout 40 tail -f /dev/null; fsfreeze -u '$MNT'" >/dev/null 2>&1 &
	rescue=$!
	taskset -c 1 blkop -d "$stuck" write:1M:64K:2 >out 2>&1 &
	writer=$!
	check "direct=$mode: a request is stuck" wait_for 10 in_flight "$stuck"
	sh -c "echo 0 >$online" &
	going=$!
	check "direct=$mode: its CPU goes" wait_for 10 grep -qx 0 $online
	check "direct=$mode: another image can be attached" timeout 10 dimgsetup attach --name other good.img
	check "and detached" timeout 10 dimgsetup detach other
	check "direct=$mode: it is still stuck" kill -0 $writer
	thaw
	check_child "direct=$mode: it completes after the thaw" $writer
	wait $going
	back_online
	stop $rescue
	check "direct=$mode: the bytes" blkop -r -d "$stuck" read:1M:64K:2
	detach "$stuck"
done
