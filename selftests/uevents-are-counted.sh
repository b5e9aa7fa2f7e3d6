#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: attach sends one add for the disk (and each partition), resize one change
# with RESIZE=1, detach one remove each, refused commands none (A7).
# Broken: udev rules that run twice, or never.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 8M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=2M\nsize=2M\n' >/dev/null
# seen COMMAND...: sorted list of kernel events during the command, on one line;
# the change events that udev makes for a node closed after writing do not come,
# nobody writes here.
seen()
{
	uevents "$@" 2>/dev/null | sort | tr '\n' ';'
}

check_equal "attach" "add dimgblk2;" "$(seen dimgsetup attach --index 2 disk.img)"
udevadm settle
check_equal "taken index" "" "$(seen dimgsetup attach --index 2 disk.img || true)"
check_equal "overlap" "" "$(seen dimgsetup attach disk.img || true)"
check_equal "bad size" "" "$(seen dimgsetup attach -o 511 disk.img || true)"
truncate -s 9M disk.img
check_equal "resize" "change dimgblk2 RESIZE;" "$(seen dimgsetup resize /dev/dimgblk2)"
check_equal "resize to the same size" "" "$(seen dimgsetup resize /dev/dimgblk2)"
udevadm settle
check_equal "detach" "remove dimgblk2;" "$(seen dimgsetup detach /dev/dimgblk2)"
check_equal "attach -P" "add dimgblk2;add dimgblk2p1;add dimgblk2p2;" \
	"$(seen dimgsetup attach -P --index 2 disk.img)"
udevadm settle
check_equal "detach" "remove dimgblk2;remove dimgblk2p1;remove dimgblk2p2;" \
	"$(seen dimgsetup detach /dev/dimgblk2)"
check "nothing is left" nothing_attached
