#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a lazy detach of a device in use takes effect at the last close and not
# before; of an unused one, at once.
# Broken: the user's writes fail, or the device stays for ever.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
attach disk.img
exec 8<>"$DEV"
check "lazy detach is accepted" detach --lazy "$DEV"
check "still there" is_attached "$DEV"
check_equal "armed" 1 "$(sysfs "$DEV" dimgblk/autoclear)"
check "and usable" blkop -d "$DEV" write:0:4K:4 fsync read:0:4K:4
exec 8>&-
check "gone after the last close" wait_for 10 is_gone "$DEV"
check "the bytes are in the image" blkop disk.img read:0:4K:4

attach disk.img
check "unused: at once" detach --lazy "$DEV"
check "gone" is_gone "$DEV"
