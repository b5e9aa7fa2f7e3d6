#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: when the last step of loading the module fails, because another family has its
# name, the steps before are undone: nothing is left, and it can be loaded later.
# Broken: a module that is gone, but whose major, workqueues or notifiers are not.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e "$SELFTESTS/modules/taken.ko" ] || skip "modules/taken.ko is not built"

left_behind()
{
	compgen -G '/sys/module/dimgblk' || true
	compgen -G '/sys/devices/virtual/workqueue/dimgblk*' || true
	grep -w dimgblk /proc/devices || true
}

[ ! -d /sys/module/dimgblk ] || rmmod dimgblk
insmod "$SELFTESTS/modules/taken.ko"
defer sh -c 'rmmod taken 2>/dev/null || true'
# modprobe takes EEXIST for a module that is loaded already, and success.
check_fails "the name is taken: not loaded" insmod "$(modinfo -n dimgblk)"
check_equal "nothing is left" "" "$(left_behind)"
# A notifier of netlink that was left would run now, in memory that is gone.
check_equal "the other family answers" EOPNOTSUPP "$(nl-send -d get | cut -d: -f1 || true)"
check "the name is free" rmmod taken
check "it loads" modprobe dimgblk
make_image disk.img 1M
attach disk.img
check "and works" cmp disk.img "$DEV"
detach "$DEV"
