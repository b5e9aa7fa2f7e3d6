#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# timeout: 120
# requires-cpus: 2
# Claim: a device on a disk that goes from direct I/O to the page cache shows what was
# written, though somebody has read the same bytes from the disk while they were written:
# in single pages, in a large folio that goes beyond the device, on another CPU.
# Broken: the old bytes are read, and written back with the next write to that page.
. "$(dirname "$0")/lib/dimgblk.sh"

slow_disk
# What the readers below read, past the end of the device, too.
blkop -d "$SLOW" write:0:2M:1

# shows_new NAME OFFSET READER...: 4K at OFFSET are written, READER reads the disk meanwhile
shows_new()
{
	local name=$1 at=$2 writer
	shift 2
	blkop -d "$SLOW" "write:$at:4K:1"
	blockdev --flushbufs "$SLOW"
	attach --direct-io=on --sizelimit 1028K "$SLOW"
	udevadm settle
	check "$name: read past the cache" blkop -r -d "$DEV" "read:$at:4K:1"
	blkop -d "$DEV" "write:$at:4K:2" >/dev/null &
	writer=$!
	check "$name: a write is under way" wait_for 5 in_flight "$DEV"
	check "$name: somebody reads the old bytes" "$@" >/dev/null
	check_child "$name: it is written" $writer
	check "$name: direct I/O goes" taskset -c 0 dimgsetup set --direct-io=off "$DEV"
	check "$name: the new bytes are read" blkop -r "$DEV" "read:$at:4K:2"
	check "$name: a write to the same page" blkop -d "$DEV" "write:$at:512:3"
	check "$name: a flush" blkop "$DEV" fsync
	detach "$DEV"
	check "$name: it is on the disk" blkop -d "$DISK" "read:$at:512:3"
	check "$name: and the rest of the page" blkop -d "$DISK" "read:$((${at%K} * 1024 + 512)):3584:2"
}
shows_new "single pages" 4K blkop -r "$SLOW" read:0:64K:1
# Kernels before 7.3 have no such folios in the cache of a disk.
shows_new "a large folio" 1024K dd if="$SLOW" of=/dev/null bs=64K count=32 status=none
# Not at the beginning: no read ahead, so that it is this page alone, which waits on that CPU
# to be put on a list.
shows_new "another CPU" 4K taskset -c $(($(nproc) - 1)) blkop -r "$SLOW" read:4K:4K:1
