#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: whatever errno the last sync of an image ends with, detach says that the device
# is gone and that writes may be lost, and fails; also if it is one by which the kernel
# says that there is no such device or that it stays.
# Broken: a network file system answers ESTALE, and detach takes that for "gone already":
# exit 0, and an image that lacks acknowledged bytes.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

liar_mount 4M
# EPERM EINTR EIO EBUSY EEXIST ENODEV EINVAL ENOSPC EROFS ESTALE EDQUOT
for errno in 1 4 5 16 17 19 22 28 30 116 122; do
	attach_lies --direct-io=off
	check "errno $errno: write" blkop -d "$DEV" write:1M:64K:$errno
	answers "fsync $errno"
	refused 7 "detached, but the last sync failed .errno $errno.: recent writes may be lost" \
		dimgsetup detach "$DEV"
	check "errno $errno: it is gone" wait_for 10 is_gone "$DEV"
	truth_only
done
