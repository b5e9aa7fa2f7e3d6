#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 128M
# timeout: 300
# Claim: when an allocation fails, an operation is refused and nothing has changed, or
# accepted and all of it is done and told; here a sample,
# all of it is campaigns/fail-nth.sh.
# Broken: an attached device whose number nobody was told, events that a listener
# misses without an error, a disk or a reference left by a refused attach.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e "$SELFTESTS/modules/failnth.ko" ] || [ -e /proc/self/fail-nth ] ||
	skip "neither fault injection nor modules/failnth.ko"
status=0
out=$("$SELFTESTS/campaigns/fail-nth.sh" -l 30 tell) || status=$?
rmmod failnth 2>/dev/null || true
note_text "$out"
check_equal "nothing was found" 0 $status
check_match "and something was tried" 'fail-nth: .* [1-9][0-9]* allocations failed' "$out"
