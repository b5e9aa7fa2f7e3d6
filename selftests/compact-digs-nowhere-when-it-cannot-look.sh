#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
# Claim: compact digs no holes in what somebody has open who writes, also when it can look
# for users once and not again: a process or its name, swap, /proc, the folder of mounts.
# Broken: out of memory or of descriptors, it takes nobody found for nobody there, and a
# hole is where data was written a moment ago.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
dd if=/dev/zero of=disk.img bs=1M seek=1 count=3 conv=notrunc status=none
bytes=$(stat -c %b disk.img)
attach disk.img
perl -e 'open(F, "+<", $ARGV[0]) or die; sleep 600' "$DEV" &
writer=$!
defer stop $writer
check "somebody has it open" wait_for 10 sh -c "[ -n \"\$(find /proc/$writer/fd -lname '$DEV')\" ]"

# cannot_look NTH ERRNO PATH: from the look number NTH on
cannot_look()
{
	rm -f looks
	# shellcheck disable=SC2016
	NTH=$1 ERRNO=$2 WHERE=$3 check_fails "no look $1 at $3" before-call openat '
		[ "$3" = "$WHERE" ] || exit 0
		echo >>looks
		[ $(wc -l <looks) -lt "$NTH" ] || exit "$ERRNO"' dimgsetup compact "$DEV"
	check "it was looked at" [ -e looks ]
	check_equal "no look $1 at $3: no hole" "$bytes" "$(stat -c %b disk.img)"
}
for nth in 1 2; do
	cannot_look $nth 24 "/proc/$writer/fd"
	cannot_look $nth 12 "/proc/$writer/comm"
	cannot_look $nth 24 /proc
	cannot_look $nth 24 /proc/swaps
	cannot_look $nth 12 /proc/self/mountinfo
done
stop $writer
check "when it has ended, it is done" dimgsetup compact "$DEV"
check "3M are free" [ "$(stat -c %b disk.img)" -le $((bytes - (3 << 11))) ]
detach "$DEV"
