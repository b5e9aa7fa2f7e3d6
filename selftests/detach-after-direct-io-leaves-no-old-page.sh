#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# timeout: 120
# Claim: when a device with direct I/O on a disk has been detached, who reads the disk or
# attaches it anew gets what was written, though somebody has read the same bytes from the
# disk while they were written, and still has it open.
# Broken: the old bytes are read, and written back with the next write to that page.
. "$(dirname "$0")/lib/dimgblk.sh"

slow_disk
blkop -d "$SLOW" write:0:64K:1
# An opener more: the last close of a disk would drop all its pages.
sleep 600 7<"$SLOW" &
defer stop $!

# written_and_gone NAME DETACH...: 4K are written, somebody reads the disk meanwhile
written_and_gone()
{
	local name=$1 writer
	shift
	blkop -d "$SLOW" write:4K:4K:1
	blockdev --flushbufs "$SLOW"
	attach --direct-io=on "$SLOW"
	udevadm settle
	check "$name: read past the cache" blkop -r -d "$DEV" read:4K:4K:1
	blkop -d "$DEV" write:4K:4K:2 >/dev/null &
	writer=$!
	check "$name: a write is under way" wait_for 5 in_flight "$DEV"
	check "$name: somebody reads the old bytes" blkop -r "$SLOW" read:4K:4K:1
	"$@" "$writer"
	check "$name: the new bytes are read" blkop -r "$SLOW" read:4K:4K:2
	attach --direct-io=off "$SLOW"
	check "$name: also through a new device" blkop -r "$DEV" read:4K:4K:2
	check "$name: a write to the same page" blkop "$DEV" write:4K:512:3 fsync
	detach "$DEV"
	check "$name: it is on the disk" blkop -d "$DISK" read:4K:512:3
	check "$name: and the rest of the page" blkop -d "$DISK" read:4608:3584:2
}

detach_written()
{
	check_child "strict: it is written" "$1"
	detach "$DEV"
}
written_and_gone "strict" detach_written

# The file is taken away by the last close then.
close_written()
{
	check "lazy: armed" dimgsetup detach --lazy "$DEV"
	check "lazy: while it was open" in_flight "$DEV"
	check_child "lazy: it is written" "$1"
	check "lazy: it is gone" wait_for 10 test ! -b "$DEV"
}
written_and_gone "lazy" close_written
