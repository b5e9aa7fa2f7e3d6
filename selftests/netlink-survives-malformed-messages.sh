#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: lying lengths, cut headers, trailing bytes and random messages are
# refused or dropped, and the family works as before (N8).
# Broken: a WARN, a hang, or a device out of nowhere.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
check "lying lengths" nl-malformed raw 9 9<>disk.img
seed=${SEED:-$RANDOM}
note "seed $seed"
check "random messages" nl-malformed garbage 3000 "$seed"
kernel_refuses EINVAL nl-send -t ffff attach backing-fd=9 9<>disk.img
check "nothing came into being" nothing_attached
attach disk.img
check "the family works" cmp disk.img "$DEV"
