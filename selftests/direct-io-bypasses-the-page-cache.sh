#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# Claim: with direct=on the image's page cache stays empty, with direct=off it is
# used; what list and sysfs tell is what happens.
# Broken: "dio 1" while the bytes are cached twice.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 8M
sync

cached_bytes()
{
	blkop "$MNT/disk.img" cached
}

drop_caches()
{
	sync
	echo 1 >/proc/sys/vm/drop_caches
}

attach --direct-io=on "$MNT/disk.img"
check_equal "dio is told" 1 "$(sysfs "$DEV" dimgblk/dio)"
drop_caches
check "direct read" blkop -d "$DEV" read:0:8M:1
check "direct write" blkop -d "$DEV" write:1M:1M:2
check_equal "nothing of the image is cached" 0 "$(cached_bytes)"
check "the file has the new bytes" blkop "$MNT/disk.img" read:0:1M:1 read:2M:6M:1
detach "$DEV"

attach --direct-io=off "$MNT/disk.img"
check_equal "no dio is told" 0 "$(sysfs "$DEV" dimgblk/dio)"
drop_caches
check "buffered read" blkop -d "$DEV" read:2M:4M:1
check "the image is cached" test "$(cached_bytes)" -ge $((4 << 20))
detach "$DEV"
