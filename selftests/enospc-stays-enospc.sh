#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a full backing file system is told as ENOSPC, not EIO, to direct and FUA
# writers of the device; afterwards reads work and, with room again, writes (G5).
# Broken: EIO, which makes thin-aware file systems give up at once.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir full
mount -t tmpfs -o size=4m dimgblk-full full
defer release_mount "$TMP/full"
truncate -s 8M full/disk.img
attach full/disk.img
check "some fits" blkop -d "$DEV" write:0:2M:1
dd if=/dev/zero of=full/ballast bs=64K status=none 2>/dev/null || true
fails_with ENOSPC blkop -d "$DEV" write:4M:64K:2
fails_with ENOSPC blkop -d "$DEV" dsync:4M:64K:2
# What writes back the device's page cache knows no other error than EIO.
fails_with "ENOSPC|EIO" blkop "$DEV" write:5M:64K:2 fsync
check "reads work" blkop -d "$DEV" read:0:2M:1
rm full/ballast
check "with room again, writes work" blkop -d "$DEV" write:4M:64K:2 read:4M:64K:2
