#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: zeroes and discards of a range that the backing device does not have any more end
# with an error or are done, never with success for less than was asked for.
# Broken: device mapper's table is reloaded smaller, "blkdiscard -z" succeeds, and when it
# is its old size again the old bytes are there.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

scratch_disk 1
map_disk "$DISK"
# sized MIB: the device below is so large now
sized()
{
	dmsetup suspend --nolockfs "$MAPPED"
	echo "0 $(($1 * 2048)) linear $DISK 0" | dmsetup load "$MAPPED"
	dmsetup resume "$MAPPED"
}
for mode in on off; do
	sized 8
	blkop "$MAPPED" write:0:8M:1 fsync
	attach --direct-io=$mode "$MAPPED"
	udevadm settle
	sized 6
	for op in zeroout zerorange punch; do
		# who punches does not want zeroes to be written instead
		fails_with 'ENOSPC|EIO|EOPNOTSUPP' blkop -d "$DEV" $op:5M:2M
	done
	sized 8
	check "direct=$mode: well again" blkop -d "$DEV" read:7M:1M:1 zeroout:5M:2M zero:5M:2M
	detach "$DEV"
done
