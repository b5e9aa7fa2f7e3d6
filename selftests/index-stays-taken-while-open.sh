#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: after a forced detach no other device gets the number while somebody has the old
# one open, as disk or as partition; name, image and other numbers are free at once.
# Broken: who has /dev/dimgblk0 open gives that name to e2fsck, which mends another image.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 8M
printf 'label: gpt\nstart=1MiB, size=4MiB\n' | sfdisk -q disk.img
make_image other.img 1M
# only_when_closed: DEV, or its partition, is open as descriptor 8
only_when_closed()
{
	local dev=$DEV
	check "forced detach" detach --force "$dev"
	check "its node is gone" wait_for 10 is_gone "$dev"
	check_equal "nothing is listed" "" "$(dimgsetup list --noheadings)"
	refused 3 "dimgblk5 is detached, but somebody still has it open" \
		dimgsetup attach --index 5 other.img
	check "name and image are free" dimgsetup attach --name data --partscan disk.img
	check "another number, too" dimgsetup attach --index 6 other.img
	dimgsetup detach data /dev/dimgblk6
	exec 8>&-
	check "the number is free" dimgsetup attach --index 5 other.img
	refused 3 "dimgblk5 is attached already" dimgsetup attach --index 5 disk.img
	dimgsetup detach /dev/dimgblk5
}
attach --index 5 --name data --partscan disk.img
exec 8<"$DEV"
only_when_closed
attach --index 5 --name data --partscan disk.img
exec 8<"${DEV}p1"
only_when_closed

# The first of two who close it does not free it.
attach --index 5 disk.img
exec 8<"$DEV" 9<"$DEV"
check "forced detach, open twice" detach --force "$DEV"
exec 9<&-
refused 3 "somebody still has it open" dimgsetup attach --index 5 other.img
exec 8<&-
attach --index 5 other.img
check_equal "free" /dev/dimgblk5 "$DEV"
