#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: when the device of a mount goes with its last user and its image could not be
# synced, "dimgsetup umount" says so and fails, as detach does; whatever the errno is.
# Broken: umount 0 and an image that lacks acknowledged bytes.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

liar_mount 16M
make_fs ext2 truth
mkdir dir
defer release_mount "$TMP/dir"
defer truth_only

# mount_lies: and write what only a sync makes safe
mount_lies()
{
	dimgsetup mount lies/image dir
	DEV=$(findmnt -rno SOURCE dir)
	blkop_create dir/file
	udevadm settle
}

blkop_create()
{
	truncate -s 1M "$1" && blkop "$1" write:0:1M:6
}

# EIO ENODEV EBUSY ESTALE
for errno in 5 19 16 116; do
	mount_lies
	answers "fsync $errno"
	refused 7 "detached, but the last sync failed .errno $errno.: recent writes may be lost" \
		dimgsetup umount dir
	check "errno $errno: it is gone" is_gone "$DEV"
	truth_only
	e2fsck -fy truth >/dev/null 2>&1 || true
done
mount_lies
answers "fsync ENOSPC"
refused 7 'errno 28.*No space left' dimgsetup umount lies/image
truth_only
e2fsck -fy truth >/dev/null 2>&1 || true

mount_lies
check "synced: nothing to tell" dimgsetup umount dir
check "it is gone" is_gone "$DEV"
check "the bytes are there" sh -c 'debugfs -R "cat /file" truth 2>/dev/null | head -c 1M >file && blkop file read:0:1M:6'
# by hand, so it stays, and there is nothing to wait for
attach lies/image
mount "$DEV" dir
check_match "one that stays" 'attached by hand' "$(dimgsetup umount dir 2>&1)"
detach "$DEV"
