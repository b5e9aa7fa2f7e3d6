#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: resize takes the size of the grown or shrunk image, within the size limit,
# to the block; shrinking wants --shrink; a mounted file system can grow into it.
# Broken: the old size stays, or the device reaches past the limit.
. "$(dirname "$0")/lib/dimgblk.sh"

bytes() { blockdev --getsize64 "$DEV"; }

truncate -s 16M disk.img
make_fs ext4 disk.img
attach --sizelimit 40M disk.img
mkdir upper
mount "$DEV" upper
defer release_mount "$TMP/upper"
truncate -s 32M disk.img
check_equal "not by itself" $((16 << 20)) "$(bytes)"
check_match "prints old and new size" '16(777216| *M).*3(3554432|2 *M)' "$(dimgsetup resize "$DEV" 2>&1)"
check_equal "grown" $((32 << 20)) "$(bytes)"
check "the file system grows, mounted" resize2fs "$DEV"
check "and is larger" test "$(df --output=size -B1M upper | tail -1)" -gt 20
umount upper

truncate -s $(((64 << 20) + 100)) disk.img
dimgsetup resize "$DEV" >/dev/null
check_equal "the size limit holds" $((40 << 20)) "$(bytes)"

truncate -s $(((8 << 20) + 511)) disk.img
refused 4 'shrink' dimgsetup resize "$DEV"
check_equal "not shrunk unasked" $((40 << 20)) "$(bytes)"
check "shrunk when asked" dimgsetup resize --shrink "$DEV"
check_equal "to whole blocks" $((8 << 20)) "$(bytes)"
