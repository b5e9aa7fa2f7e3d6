#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: asking for the family does not load the module; only root's tool does.
# Broken: a genl module alias makes the driver loadable by every user.
. "$(dirname "$0")/lib/dimgblk.sh"

modprobe -r dimgblk || die "cannot unload the module"
check_equal "user's look-up" NOFAMILY "$(setpriv --reuid 1000 --regid 1000 --clear-groups -- \
	nl-send -d get || true)"
check_equal "root's look-up" NOFAMILY "$(nl-send -d get || true)"
check "not loaded" test ! -e /sys/module/dimgblk
make_image disk.img 1M
attach disk.img
check "attach loads it" test -e /sys/module/dimgblk
