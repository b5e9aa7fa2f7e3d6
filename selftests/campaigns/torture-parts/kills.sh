# SPDX-License-Identifier: GPL-2.0
# Part kills: the selftests that kill the tool at random points, with new points each
# time.
# shellcheck shell=bash

# shellcheck source=selftests/campaigns/torture-parts/unload.sh disable=SC1091
. "$SELFTESTS/campaigns/torture-parts/unload.sh"

part_kills()
{
	unset DIMGBLK_KILL_SEED
	again "$1" killed-tool-leaves-whole-devices attach-with-survives-kills \
		killed-mount-leaves-no-device-without-its-mount \
		create-killed-anywhere-leaves-all-or-nothing
}
