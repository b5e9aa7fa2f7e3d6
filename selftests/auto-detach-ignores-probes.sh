#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: an auto-detach device is armed by an exclusive open (mount, swapon), not
# by udev or anyone who just looks at it; detaching by hand still works.
# Broken: blkid takes the device away before mount gets to it.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 8M disk.img
make_fs ext4 disk.img
attach --auto-detach disk.img
for _ in 1 2 3; do
	blkid -p "$DEV" >/dev/null
	dd if="$DEV" of=/dev/null bs=4k count=1 status=none
	udevadm settle
done
check "still there after probes" is_attached "$DEV"
check "an exclusive open" blkop -x "$DEV" zero:0:512
check "takes it away at its close" wait_for 10 is_gone "$DEV"

attach --auto-detach disk.img
check "by hand" detach "$DEV"
check "gone" is_gone "$DEV"
