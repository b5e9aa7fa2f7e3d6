#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: the four troubles of the guide look as it prints them, and its cures help.
# Broken: a message that a search in the guide does not find.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

play_guide \
	'"wrong fs type" when mounting' \
	'"Device or resource busy" when detaching' \
	"Insufficient permissions" \
	"After a reboot the device is gone"
