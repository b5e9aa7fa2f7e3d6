#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# on-debug: yes
# requires-disk: 256M
# requires-cpus: 2
# Claim: a device-set that meets a detach is answered at once with ENODEV, also if it is
# waiting for a request that never ends; and the detach is not kept waiting by it.
# Broken: who switches direct I/O on a device of a dead disk holds up its removal; the
# disk dies while its queue is frozen, and lockdep is told half of it.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

make_image disk.img 1M
# toggle: until the device is gone; the last answer is left in the file.
toggle()
{
	while nl-send set index="$1" direct=0 >"answer.$2" && nl-send set index="$1" direct=2 >"answer.$2"; do
		:
	done
}
others=
for i in {1..8}; do
	attach disk.img
	n=$(index_of "$DEV")
	toggle "$n" a &
	a=$!
	toggle "$n" b &
	b=$!
	wait_for 5 test -s answer.b
	nl-send detach index="$n" detach-mode=$((i % 2 * 2)) >detached || true
	[[ ! $(cat detached) =~ ^[A-Z] ]] || nl-send detach index="$n" detach-mode=2 >detached || others+=" $(cat detached)"
	wait $a $b
	for answer in "$(cat answer.a)" "$(cat answer.b)"; do
		[[ $answer = ENODEV* ]] || others+=" $answer"
	done
	rm answer.?
done
check_equal "each switch ends with ENODEV, each detach is done" "" "$others"
check "nothing is left" wait_for 10 nothing_attached

mapped_fs ext4
make_image mnt/dead.img 4M
sync
attach --direct-io=on mnt/dead.img
mapped_disk_hangs
blkop -d "$DEV" read:0:64K:1 >out 2>&1 &
stuck=$!
check "a request is stuck" wait_for 10 in_flight "$DEV"
nl-send set index="$(index_of "$DEV")" direct=0 >answer &
set=$!
check "the switch waits for it" wait_for 4 grep -q freeze /proc/$set/stack
nl-send detach index="$(index_of "$DEV")" detach-mode=2 >reply || true
wait $set || true
check_match "the switch was told why it ends" '^ENODEV: the device is being detached' "$(cat answer)"
check_match "the detach goes on" '^state=2$' "$(cat reply)"
mapped_disk_answers
wait $stuck || true
check "all is gone after the disk came back" wait_for 20 is_gone "$DEV"
check "nothing is pinned" wait_for 10 umount mnt
