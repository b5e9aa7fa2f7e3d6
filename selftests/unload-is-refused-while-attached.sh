#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: the module cannot be unloaded while a device exists, can when none does,
# and leaves nothing behind.
# Broken: rmmod pulls the code from under a mounted disk.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/udev.sh"

make_image disk.img 1M
attach disk.img
check_fails "attached: refused" rmmod dimgblk
check "the device works on" cmp disk.img "$DEV"
detach "$DEV"
check "free: unloads" rmmod dimgblk
check_equal "no family" NOFAMILY "$(nl-send -d get || true)"
check_equal "no sysfs, no workqueue" "" "$(compgen -G '/sys/module/dimgblk' || true)$(compgen -G '/sys/devices/virtual/workqueue/dimgblk*' || true)"
check "loads again" modprobe dimgblk
attach disk.img
check "works again" cmp disk.img "$DEV"
detach "$DEV"

# Who was told that the device is gone need not try rmmod twice.
check "udev looks away" udev_stands_still
defer udev_goes_on
early=0
for _ in {1..30}; do
	index=$(field index "$(nl-send attach backing-fd=9 9<>disk.img)")
	nl-send -u detach index="$index" >>answers || early=$((early + 1))
	modprobe dimgblk
done
check_equal "unloads as soon as the detach was answered" 0 $early
