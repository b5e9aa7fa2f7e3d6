#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: when detach has returned the file system below can be unmounted at once,
# without a retry.
# Broken: the last reference dropped later, by a worker: EBUSY now and then (A4).
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
truncate -s 4M "$MNT/disk.img"
busy=0
for i in {1..15}; do
	mountpoint -q "$MNT" || mount "$DISK" "$MNT"
	attach "$MNT/disk.img"
	blkop "$DEV" "write:0:64K:$i"
	detach "$DEV"
	umount "$MNT" || busy=$((busy + 1))
done
check_equal "unmounts of 15 that failed" 0 $busy
