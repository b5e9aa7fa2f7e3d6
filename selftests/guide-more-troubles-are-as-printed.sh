#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's troubles with full disks, other users of the image, sector
# sizes, direct I/O and a missing module look as it prints them; its cures help.
# Broken: a message that a search in the guide does not find.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"The disk below the image is full" \
	"A virtual machine uses the image" \
	"The image is attached already" \
	"The image has sectors of 4096 bytes" \
	"Direct I/O cannot be had" \
	"The module is missing"
