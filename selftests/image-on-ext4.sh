#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: an image on ext4 is read and written exactly, buffered and direct.
# Broken: other bytes than the model's in the file.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

scratch_fs ext4
image_on ext4 off on
