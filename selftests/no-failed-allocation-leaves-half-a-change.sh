#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 128M
# timeout: 300
# Claim: when an allocation fails, an operation is refused and nothing has changed, or
# accepted and all of it is done and told; here one allocation in each call that the
# driver makes, so that each way out is taken; all of them is campaigns/fail-nth.sh.
# Broken: an attached device whose number nobody was told, events that a listener
# misses without an error, a disk or a reference left by a refused attach.
. "$(dirname "$0")/lib/dimgblk.sh"

status=0
out=$("$SELFTESTS/campaigns/fail-nth.sh" -c load attach detach change tell) || status=$?
rmmod failnth 2>/dev/null || true
note_text "$out"
check_equal "nothing was found" 0 $status
for swept in "load -" "attach plain" "attach follow" "attach owned" "detach plain" \
	"resize plain" "direct direct" "get plain" "event plain"; do
	check_match "allocations of $swept failed" "^$swept: [1-9][0-9]* points failed" "$out"
done
