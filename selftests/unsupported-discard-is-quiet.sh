#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: on a file system that cannot punch holes a discard says EOPNOTSUPP, is
# offered no longer, and leaves no line in the kernel log (F4); zeroing still
# works, by writing zeros.
# Broken: a log full of "operation not supported" lines, or silent success.
. "$(dirname "$0")/lib/dimgblk.sh"

modprobe -q vfat || skip "no vfat in this kernel"
scratch_disk 1
mkfs.vfat "$DISK" >/dev/null
mount_at "$DISK" "$TMP/mnt"
make_image mnt/disk.img 4M
attach mnt/disk.img
dmesg_mark
fails_with EOPNOTSUPP blkop "$DEV" discard:0:1M
for _ in 1 2 3 4 5; do
	fails_with EOPNOTSUPP blkop "$DEV" discard:0:1M
	blkop "$DEV" punch:0:4K >/dev/null || true
done
check_equal "not offered any more" 0 "$(sysfs "$DEV" queue/discard_max_bytes)"
check "zeroing works all the same" blkop -d "$DEV" zeroout:1M:1M zero:1M:1M read:2M:1M:1
check_equal "no line in the log" "" "$(dmesg_since_mark)"
