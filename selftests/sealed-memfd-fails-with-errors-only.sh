#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a memfd can back a device; seals against writing refuse the writable
# attach or turn writes into errors, never into a WARN or a retry loop (L6).
# Broken: a worker spinning on a sealed page.
. "$(dirname "$0")/lib/dimgblk.sh"

for kind in memfd memfd-shrink memfd-grow memfd-size memfd-write memfd-future-write; do
	out=$(fdzoo $kind -- nl-send attach backing-fd=9) || true
	if [ -z "$(field index "$out")" ]; then
		check_match "$kind: refused with a sentence" '^(EPERM|EINVAL): .{12,}' "$out"
		case $kind in
		memfd-write | memfd-future-write) ;;
		*) fail "$kind does not keep anyone from writing" ;;
		esac
		continue
	fi
	DEV=/dev/dimgblk$(field index "$out")
	defer forget_device "$DEV" "$(field diskseq "$out")"
	wait_for 10 test -b "$DEV"
	check "$kind: reads" timeout 20 blkop -r -d "$DEV" zero:0:1M
	case $kind in
	memfd-write | memfd-future-write)
		check_fails "$kind: writes fail" timeout 20 blkop -d "$DEV" write:0:64K:1 ;;
	*)
		check "$kind: writes" timeout 20 blkop -d "$DEV" write:0:64K:1 read:0:64K:1 ;;
	esac
	udevadm settle
	check "$kind: detach" detach "$DEV"
done
