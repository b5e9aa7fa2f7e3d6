#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: an active swap file cannot be attached (ETXTBSY), read-only or not; after
# swapoff it can (L4).
# Broken: swap and a file system writing into the same blocks.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
dd if=/dev/zero of="$MNT/swap" bs=1M count=4 status=none
chmod 600 "$MNT/swap"
mkswap "$MNT/swap" >/dev/null
swapon "$MNT/swap"
defer sh -c "! grep -q '$MNT/swap' /proc/swaps || swapoff '$MNT/swap'"
kernel_refuses ETXTBSY nl-send attach backing-fd=9 9<"$MNT/swap"
refused 4 'swap' dimgsetup attach -r "$MNT/swap"
swapoff "$MNT/swap"
attach "$MNT/swap"
check "works after swapoff" cmp "$MNT/swap" "$DEV"
