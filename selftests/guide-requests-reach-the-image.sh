#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: what the guide says of the way of a write and a read can be seen: the data
# is at its place in the image, and a cached read asks no device.
# Broken: a picture that flatters.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"How a write goes" \
	"How a read goes"
