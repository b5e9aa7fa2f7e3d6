#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: max_devices bounds the number of devices; the next attach is refused with
# ENOSPC and a sentence with the number, and a detach makes room.
# Broken: memory exhausted by attach loops, or a limit off by one.
. "$(dirname "$0")/lib/dimgblk.sh"

modprobe -r dimgblk || die "cannot unload the module"
modprobe dimgblk max_devices=2
defer modprobe dimgblk
defer modprobe -r dimgblk
for i in 1 2 3; do make_image $i.img 1M $i; done
attach 1.img
first=$DEV
attach 2.img
kernel_refuses ENOSPC nl-send attach backing-fd=9 9<>3.img
check_fails "the tool tells it too" dimgsetup attach 3.img
check_match "with the limit" 'max_devices|2' "$(dimgsetup attach 3.img 2>&1 || true)"
detach "$first"
attach 3.img
check "room again" cmp 3.img "$DEV"
detach "$DEV"
detach 2.img
