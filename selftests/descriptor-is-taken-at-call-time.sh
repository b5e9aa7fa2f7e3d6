#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# requires-cpus: 2
# Claim: attach takes the descriptor as it is when the message is sent; a thread
# that keeps replacing it gets one of the two files, and no reference leaks (N10).
# Broken: a descriptor resolved later, in another process.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/a.img" 1M 1
make_image "$MNT/b.img" 1M 2
check "40 attaches in a race" nl-malformed swap 40 "$MNT/a.img" "$MNT/b.img"
wait_for 20 nothing_attached
check "nothing is pinned" umount "$MNT"
