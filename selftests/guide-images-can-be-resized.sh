#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's two lines, truncate and resize2fs, make a file system larger,
# mounted or not.
# Broken: a device that has to be told.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"Resize an image"
