#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: an image on tmpfs is read and written exactly; direct I/O is used where
# the kernel's tmpfs has it and else reported.
# Broken: other bytes than the model's in the file.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

MNT=$TMP/images
mkdir images
image_on tmpfs off auto
