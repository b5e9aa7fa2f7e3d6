#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: while the file system of the image is frozen a write to the device waits
# and nothing reaches the disk; after the thaw it completes (S1). Reads go on.
# Broken: a snapshot of the lower disk that changes, a WARN in ext4.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command fsfreeze
scratch_fs ext4
make_image "$MNT/disk.img" 4M
sync -f "$MNT"
sectors_written()
{
	awk '{ print $7 }' "/sys/block/${DISK#/dev/}/stat"
}
thaw()
{
	fsfreeze -u "$MNT" 2>/dev/null || true
}

for mode in on off; do
	attach --direct-io=$mode "$MNT/disk.img"
	udevadm settle
	fsfreeze -f "$MNT"
	defer thaw
	# Whoever waits for a frozen file system cannot be killed; should this
	# script be stuck, someone else has to thaw.
	sh -c "cd /; timeout 20 tail -f /dev/null; fsfreeze -u '$MNT'" >/dev/null 2>&1 &
	rescue=$!
	before=$(sectors_written)
	blkop -d "$DEV" write:1M:64K:2 fsync >out 2>&1 &
	writer=$!
	check "direct=$mode: the write waits" wait_for 10 in_flight "$DEV"
	check "direct=$mode: reads do not" timeout 15 blkop -r -d "$DEV" read:0:64K:1
	check_fails "direct=$mode: and goes on waiting" wait_for 1 sh -c "! kill -0 $writer"
	check_equal "direct=$mode: nothing was written below" "$before" "$(sectors_written)"
	thaw
	check_child "direct=$mode: it completes after the thaw" $writer
	stop $rescue
	check "direct=$mode: the bytes" blkop "$MNT/disk.img" read:1M:64K:2
	detach "$DEV"
done
