#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a partition table is looked at only when asked for (-P); detach removes
# the partitions with the disk.
# Broken: nodes from an untrusted image that nobody asked for, or stale ones.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 8M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=2M\nsize=3M\n' >/dev/null

attach disk.img
udevadm settle
check_equal "partscan is off" 0 "$(sysfs "$DEV" dimgblk/partscan)"
check_equal "no partitions" "" "$(compgen -G "${DEV}p*" || true)"
detach "$DEV"

attach -P disk.img
check_equal "partscan is on" 1 "$(sysfs "$DEV" dimgblk/partscan)"
check_equal "size of p1" 4096 "$(sysfs "$DEV" "${DEV#/dev/}p1/size")"
check_equal "size of p2" 6144 "$(sysfs "$DEV" "${DEV#/dev/}p2/size")"
check "write to p2" blkop "${DEV}p2" write:0:4K:7 fsync
start=$(sysfs "$DEV" "${DEV#/dev/}p2/start")
detach "$DEV"
dd if=disk.img of=p2 bs=512 skip="$start" count=8 status=none
check "the bytes are in p2's place" blkop p2 read:0:4K:7
check_equal "no node is left" "" "$(compgen -G '/dev/dimgblk*' || true)"
