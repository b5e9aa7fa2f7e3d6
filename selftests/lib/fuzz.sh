# SPDX-License-Identifier: GPL-2.0
# One run of nl-fuzz, as the selftest (a slice) and the campaign (hours) do it.
# Sourced after dimgblk.sh.
# shellcheck shell=bash

# No test attaches that many; it must not come about by chance in a message.
FUZZ_WITNESS=370085

# fuzz MESSAGES PER-ROUND FILE...: in the working directory. FILEs are offered as
# backing files, next to the node of the witness. FUZZ_SEED repeats a run.
fuzz()
{
	local count=$1 round=$2
	shift 2
	make_image witness.img 1M 77
	# a limit that is reached gives ENOSPC, and bounds what is attached by accident
	[ ! -d /sys/module/dimgblk ] || modprobe -r dimgblk
	modprobe dimgblk max_devices=6
	attach --index $FUZZ_WITNESS --name witness witness.img
	nl-fuzz "${FUZZ_SEED:=$SRANDOM}" "$count" "$round" "$PWD" $FUZZ_WITNESS "$DEV" "$@"
}
