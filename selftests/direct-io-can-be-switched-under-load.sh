#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# requires-cpus: 2
# Claim: set --direct-io=on|off|auto on a device under verified load never loses
# or mixes bytes; each reply says what is in effect (K4).
# Broken: a stale page of the image is read after the switch.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/load.sh"

requires_command fio
scratch_fs ext4
truncate -s 16M "$MNT/disk.img"
attach --direct-io=off "$MNT/disk.img"
verifies "$DEV" 6 --iodepth=8 --bssplit=4k/50:16k/50 --size=16M &
load=$!
n=0 wrong=0
while kill -0 $load 2>/dev/null && [ $n -lt 60 ]; do
	for mode in on off auto; do
		dimgsetup set "$DEV" --direct-io=$mode >/dev/null || wrong=$((wrong + 1))
		[ "$(sysfs "$DEV" dimgblk/direct)" = $mode ] || wrong=$((wrong + 1))
		[ "$(sysfs "$DEV" dimgblk/dio)" = "$([ $mode = off ] && echo 0 || echo 1)" ] ||
			wrong=$((wrong + 1))
		n=$((n + 1))
	done
done
check_child "load verifies after $n switches" $load
check_equal "wrong states" 0 $wrong
dimgsetup set "$DEV" --direct-io=on >/dev/null
check "buffered bytes are seen direct" blkop -d "$DEV" write:0:1M:3 fsync read:0:1M:3
dimgsetup set "$DEV" --direct-io=off >/dev/null
check "direct bytes are seen buffered" blkop -d "$DEV" read:0:1M:3
