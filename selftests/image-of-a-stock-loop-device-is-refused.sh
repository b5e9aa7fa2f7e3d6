#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a writable attach of an image that a stock loop device has is refused and
# names it; read-only, or with --allow-overlap, it is done; a detached one does not
# count.
# Broken: two drivers write to one file without knowing of each other.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command losetup
modprobe loop || skip "no loop in this kernel"
make_image disk.img 4M
make_image other.img 4M
ln disk.img link.img
LOOP=$(losetup -f --show disk.img)
defer sh -c "! losetup '$LOOP' 2>/dev/null || losetup -d '$LOOP'"
refused 4 "losetup -d $LOOP" dimgsetup attach disk.img
refused 4 "$LOOP" dimgsetup attach -o 1M link.img
check "nothing is attached" nothing_attached
attach other.img
detach "$DEV"
attach -r disk.img
refused 4 "$LOOP" dimgsetup snapshot "$DEV" copy.img
check "no copy is made" [ ! -e copy.img ]
detach "$DEV"
attach --allow-overlap disk.img
detach "$DEV"
losetup -d "$LOOP"
wait_for 10 sh -c "! losetup '$LOOP'" || die "losetup -d"
attach disk.img
check "detached" detach "$DEV"
