#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's tips print what it says.
# Broken: advice that nobody tried.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"1. Use labels and UUIDs" \
	"3. Watch the space" \
	"4. Back up" \
	"5. Detach safely" \
	"6. Compress"
