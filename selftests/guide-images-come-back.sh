#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's tables bring an image back, attached and mounted, by its label,
# its name, or as type dimg.
# Broken: data that seems lost after a reboot.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"2. Attach and mount at boot"
