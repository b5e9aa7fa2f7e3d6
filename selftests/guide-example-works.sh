#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the guide's whole example, from nothing to nothing, prints what it says, and
# so do its shorter forms.
# Broken: a user who types it sees something else.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	"4. A whole example"
