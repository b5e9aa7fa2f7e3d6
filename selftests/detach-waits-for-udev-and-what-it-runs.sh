#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a strict detach waits for udev's short looks: those of its daemon, of each
# child by whatever name, and of the programs that its rules run; not for others.
# Broken: right after a partition was written detach says that udev uses the disk.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M

# hold NAME SECONDS: a process of that name, and a child of it, have the disk open.
hold()
{
	(
		exec 3<"$DEV"
		printf %s "$1" >"/proc/$BASHPID/comm"
		sleep "$2"
		:
	) &
	child=$!
	wait_for 10 test -e "/proc/$child/fd/3"
	wait_for 10 grep -qxF -- "$1" "/proc/$child/comm"
}

for name in '(udev-worker)' '(udev-synth)' systemd-udevd; do
	attach disk.img
	udevadm settle
	hold "$name" 4
	check "$name: waited for" detach "$DEV"
	check "$name: gone" is_gone "$DEV"
	check_child "$name has ended" $child
done

attach disk.img
udevadm settle
hold '(other)' 4
refused 3 'process .*sleep' dimgsetup detach "$DEV"
check_child "the other has ended" $child
check "then it goes" detach "$DEV"
