#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 512M
# Claim: a read gives the bytes of the image, zeros for a hole, or an error. When
# the image was truncated the missing part is EIO and no byte of other memory or
# of another place reaches the reader (B8); grown again it is zeros.
# Broken: bytes of the canary, or old data, in the reader's buffer.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
for mode in off on; do
	truncate -s 8M "$MNT/disk.img"
	blkop "$MNT/disk.img" write:0:1M:1 write:4M:4M:1
	sync -f "$MNT"
	attach --direct-io=$mode "$MNT/disk.img"
	check "$mode: data" blkop -d "$DEV" read:0:1M:1 read:4M:4M:1
	check "$mode: a hole is zeros" blkop -d "$DEV" zero:1M:3M
	check "$mode: across the edge of a hole" blkop -d "$DEV" read:4M:512:1 zero:4193792:512

	blkop -r "$TMP" canary:96M
	truncate -s $(((6 << 20) - 1024)) "$MNT/disk.img"
	echo 1 >/proc/sys/vm/drop_caches
	check "$mode: truncated, what is left is intact" blkop -d "$DEV" read:4M:1M:1
	fails_with EIO blkop -d "$DEV" leak:7M:64K
	fails_with EIO blkop -d "$DEV" leak:6M:512
	fails_with EIO blkop -d "$DEV" leak:6287360:8K
	check_fails "$mode: through the page cache" blkop -r "$DEV" leak:7M:64K
	truncate -s 8M "$MNT/disk.img"
	check "$mode: grown again, zeros" blkop -d "$DEV" zero:7M:64K zero:6M:1M
	detach "$DEV"
	rm "$MNT/disk.img"
done
