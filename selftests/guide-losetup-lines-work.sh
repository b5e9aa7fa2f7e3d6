#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the losetup lines of the guide for loop devices work with dimg-losetup as they
# stand there.
# Broken: a script that has to be rewritten.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"losetup's commands and ours"
