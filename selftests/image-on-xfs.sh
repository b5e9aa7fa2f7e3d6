#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 400M
# Claim: an image on xfs is read and written exactly, buffered and direct.
# Broken: other bytes than the model's in the file.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

modprobe -q xfs || skip "no xfs in this kernel"
scratch_fs xfs
image_on xfs off on
