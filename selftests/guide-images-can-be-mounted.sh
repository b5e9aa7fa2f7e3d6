#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's steps from a file to a mounted image and back print what it
# says, and so does the whole example.
# Broken: a user who types them sees something else.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"2. Format the image" \
	"Step 1: attach the image" \
	"Step 2: verify the device" \
	"Step 3: mount the device" \
	"Step 4: set permissions" \
	"In one step"
