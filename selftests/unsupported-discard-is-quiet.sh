#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: on a file system that cannot punch holes discard is offered no longer
# after the first, says EOPNOTSUPP from then on, and leaves no line in the kernel
# log (F4); zeroing still works, by writing zeros; all that also while a read hangs,
# and without holding up who writes.
# Broken: a log full of "operation not supported" lines, or silent success; writers that
# wait for one hung read.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

modprobe -q vfat || skip "no vfat in this kernel"
scratch_disk 1
mkfs.vfat "$DISK" >/dev/null
mount_at "$DISK" "$TMP/mnt"
make_image mnt/disk.img 4M
attach mnt/disk.img
dmesg_mark
# The driver finds out by the first one, which the block layer takes for a mere
# hint and calls a success.
blkop "$DEV" discard:0:1M >/dev/null || true
not_offered()
{
	[ "$(sysfs "$DEV" queue/discard_max_bytes)" = 0 ]
}
check "withdrawn after the first" wait_for 5 not_offered
for _ in 1 2 3 4 5; do
	fails_with EOPNOTSUPP blkop "$DEV" discard:0:1M
	blkop "$DEV" punch:0:4K >/dev/null || true
done
check "zeroing works all the same" blkop -d "$DEV" zeroout:1M:1M zero:1M:1M read:2M:1M:1
check_equal "no line in the log" "" "$(dmesg_since_mark)"
detach "$DEV"
umount mnt

liar_mount 8M
attach_lies --direct-io=off
answers "fallocate EOPNOTSUPP" "read stall"
blkop -d "$DEV" zero:4M:64K >/dev/null &
hung=$!
check "a read hangs" wait_for 10 in_flight "$DEV"
blkop "$DEV" discard:0:1M >/dev/null || true
check "withdrawn while it hangs" wait_for 5 not_offered
check "a writer goes on" timeout 10 blkop -d "$DEV" write:1M:64K:1
check "it hangs all the time" kill -0 $hung
truth_only
check_child "it is done in the end" $hung
