#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 320M
# requires-disk: 256M
# timeout: 180
# requires-cpus: 2
# Claim: when memory or the disk below fails under the workers of the driver, each request
# ends with the right bytes or with the errno of what failed, what was acknowledged and
# flushed is there, and no device is left; here for some seconds, for hours in
# campaigns/worker-failures.sh (WORKER_SEED repeats the draws of a run).
# Broken: a write that got no memory and is acknowledged all the same.
. "$(dirname "$0")/lib/dimgblk.sh"

status=0
out=$("$SELFTESTS/campaigns/worker-failures.sh" 8 slab raw 2>&1) || status=$?
note_text "$out"
[ $status != 4 ] || skip "neither fault injection nor modules/failwork.ko"
check_equal "nothing was found" 0 $status
check_match "and something failed" 'worker-failures: .* [1-9][0-9]* failed, under' "$out"
