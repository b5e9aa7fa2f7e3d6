#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: ext4 made on a device can be mounted, filled, trimmed and checked; after
# detach and re-attach all of it is there.
# Broken: a mount that fails, fsck errors, other bytes.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

fs_on_device ext4 64M
