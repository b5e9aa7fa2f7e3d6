#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a writable attach of an image that a stock loop device has is refused and
# names it; read-only, or with --allow-overlap, it is done; a detached one does not
# count. One whose file is on a server or in a program that hangs holds up no attach of
# an image that is elsewhere.
# Broken: two drivers write to one file without knowing of each other; or one dead server
# and nothing can be attached.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command losetup
modprobe loop || skip "no loop in this kernel"
make_image disk.img 4M
make_image other.img 4M
make_image forced.img 1M
ln disk.img link.img
LOOP=$(losetup -f --show disk.img)
defer sh -c "! losetup '$LOOP' 2>/dev/null || losetup -d '$LOOP'"
refused 4 "losetup -d $LOOP" dimgsetup attach disk.img
refused 4 "$LOOP" dimgsetup attach -o 1M link.img
check "nothing is attached" nothing_attached
attach other.img
detach "$DEV"
attach -r disk.img
refused 4 "$LOOP" dimgsetup snapshot "$DEV" copy.img
check "no copy is made" [ ! -e copy.img ]
detach "$DEV"
attach --allow-overlap disk.img
detach "$DEV"
losetup -d "$LOOP"
wait_for 10 sh -c "! losetup '$LOOP'" || die "losetup -d"
attach disk.img
check "detached" detach "$DEV"

# a file that answers nobody any more, under a loop device
. "$SELFTESTS/lib/liar.sh"
liar_mount 4M
LOOP=$(losetup -f --show lies/image)
defer losetup -d "$LOOP"
refused 4 "losetup -d $LOOP" dimgsetup attach lies/image
udevadm settle
defer truth_only
answers "getattr stall"
stat lies/image >/dev/null &
stat=$!
check "its server hangs" wait_for 10 grep -q request_wait_answer /proc/$stat/stack

# answered COMMAND...: none of them may need it; one that does cannot even be killed
answered()
{
	rm -f status
	answers "getattr stall"
	(
		status=0
		"$@" >out 2>&1 || status=$?
		echo $status >status
	) &
	wait_for 20 [ -s status ] || { fail "it waits for that: $*"; truth_only; }
	wait $!
	check_equal "done: $*" 0 "$(cat status)"
}

answered dimgsetup attach --name other other.img
answered dimgsetup create --force forced.img 1M
answered dimgsetup detach other
truth_only
wait $stat
refused 4 "losetup -d $LOOP" dimgsetup attach lies/image
