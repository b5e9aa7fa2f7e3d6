#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: attach --with leaves no device and a whole image, wherever it, its command
# or both are killed with signal 9; a command outlives the tool with its device.
# Broken: a device that nobody detaches, or bytes that are half of each pattern.
# timeout: 300
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/kill.sh"

# The tool dies: the command still has the device; then the kernel takes it back.
make_image disk.img 1M 1
mkfifo go
dimgsetup attach --with disk.img -- sh -c 'touch ready; read -r _ <go; cat {} >copy' &
wait_for 20 test -e ready
kill -9 $!
wait $! 2>/dev/null || true
check "the tool is dead, the device is there" test -b /dev/dimgblk0
echo >go
check "the command is done: gone" wait_for 20 nothing_attached
check "it could use it to the end" cmp disk.img copy

# Both die at random points: every 64K block of the image is one of the two.
make_image old.img 256K 1
make_image new.img 256K 2
restore() { cp old.img disk.img; }
whole()
{
	local block i
	wait_for 20 nothing_attached || return 1
	[ "$(stat -c %s disk.img)" = $((256 << 10)) ] || return 1
	for ((i = 0; i < 4; i++)); do
		block="-i $((i << 16)) -n $((1 << 16))"
		# shellcheck disable=SC2086
		cmp -s $block disk.img old.img || cmp -s $block disk.img new.img || return 1
	done
}
export KILL_WHOM=both
# direct, one block at a time: a block is written or it is not
kill_points restore whole dimgsetup attach --with disk.img -- \
	dd if=new.img of={} bs=64K oflag=direct conv=notrunc status=none
check "it can be attached again" dimgsetup attach disk.img
check "and detached" dimgsetup detach disk.img
