#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: fdisk and parted work on a device as the guide shows it, and one partition
# can be had by its name.
# Broken: nodes that are not there for the next command.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"Partition an image"
