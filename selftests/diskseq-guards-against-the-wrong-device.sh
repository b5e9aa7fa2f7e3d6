#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a command that gives index and diskseq is refused with ESTALE when the
# number belongs to another disk by now; a number that is not in use is ENODEV.
# Broken: a script detaches the device that took over its number.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
attach --index 3 disk.img
old=$(sysfs "$DEV" diskseq)
check_equal "the reply has it" "$old" "$(field diskseq "$(nl-send get index=3)")"
detach "$DEV"
attach --index 3 disk.img
check "another disk, another diskseq" test "$(sysfs "$DEV" diskseq)" -gt "$old"
for op in get "set resize" "detach detach-mode=2" detach; do
	# shellcheck disable=SC2086
	kernel_refuses ESTALE nl-send $op index=3 diskseq="$old"
	# shellcheck disable=SC2086
	kernel_refuses ENODEV nl-send $op index=4
done
check "the device is untouched" cmp disk.img "$DEV"
udevadm settle
check "with the right one it works" nl-send detach index=3 diskseq="$(sysfs "$DEV" diskseq)"
check "gone" is_gone "$DEV"
