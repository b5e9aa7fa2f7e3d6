#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# timeout: 120
# Claim: the guide's LUKS lines work on a device and on a file, with the dialogue as
# printed.
# Broken: a prompt that the guide does not show.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"Encrypt an image"
