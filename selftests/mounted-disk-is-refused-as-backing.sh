#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: the tool does not attach a disk that is mounted, and says where; with
# --allow-overlap or read-only it does what it is told (L8).
# Broken: a second file system on the disk of the first.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
refused 4 "$TMP/mnt" dimgsetup attach "$DISK"
check "nothing came into being" nothing_attached
attach -r --allow-overlap "$DISK"
check_equal "read-only and asked for" 1 "$(sysfs "$DEV" ro)"
check_equal "size" "$(blockdev --getsize64 "$DISK")" "$(blockdev --getsize64 "$DEV")"
detach "$DEV"
