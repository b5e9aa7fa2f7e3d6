#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-cpus: 2
# Claim: messages by the thousand, drawn from the policy that the kernel tells and then
# bent, sent by root, users and user namespaces at once with every kind of
# descriptor, attach only what makes sense and harm no other device. (A slice;
# campaigns/fuzz.sh goes on for hours. FUZZ_SEED repeats a run.)
# Broken: a WARN, a hang, a device with impossible numbers or foreign bytes, a user
# who may, a reference to the image that stays.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/fuzz.sh"

defer modprobe -r dimgblk
fuzz 2000 400 >fuzz.log 2>&1 || fail "fuzz, FUZZ_SEED=${FUZZ_SEED:-}"
note_text "$(cat fuzz.log)"
check "the witness has the bytes of its image" cmp witness.img "$DEV"
detach "$DEV"
check "nothing is left" nothing_attached
