#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's ways to create an image print what it says.
# Broken: a user who types them sees something else.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"With dimgsetup create" \
	"With qemu-img" \
	"With fallocate" \
	"With truncate" \
	"With dd"
