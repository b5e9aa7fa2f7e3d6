#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: while the close of a killed reader waits for a dead disk, a detach that is not
# forced is refused in time with a sentence, it lets modules with a netlink family and
# other requests go on, and a forced one is answered; when the disk comes back all is gone.
# Broken: a detach that waits for ever, behind it each request of generic netlink, and
# behind them the forced detach that would help.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

mapped_fs ext2
make_image mnt/dead.img 4M
sync
attach --direct-io=on mnt/dead.img
index=$(index_of "$DEV")
udevadm settle
blockdev --flushbufs "$DEV"
mapped_disk_hangs
dd if="$DEV" of=/dev/null bs=64k count=1 2>/dev/null &
reader=$!
check "a request is stuck" wait_for 10 in_flight "$DEV"
kill -9 $reader
# its last close drops the page that the request fills, under open_mutex
check "the close waits for it" wait_for 10 grep -Eq 'kill_bdev|truncate_inode_pages|blkdev_flush_mapping' "/proc/$reader/stack"

# within SECONDS TEXT COMMAND...: whatever the answer is, it comes. A request waits for 5 s
# at most, and perhaps before that for one that came first; the rest is patience.
within()
{
	local status=0
	timeout "$1" "${@:3}" >answer 2>&1 || status=$?
	check "$2 (status $status)" test $status != 124
	note_text "$(cat answer)"
}
kernel_refuses ETIMEDOUT timeout 15 nl-send detach index="$index"
kernel_refuses ETIMEDOUT timeout 15 nl-send detach index="$index" detach-mode=1
refused 7 "waits for its backing file" timeout 15 dimgsetup detach "$DEV"
timeout 15 nl-send detach index="$index" >/dev/null 2>&1 &
waiting=$!
sleep 0.5
# a family of generic netlink comes, and has to wait for requests to end
modprobe -q nbd &
loading=$!
sleep 0.5
within 20 "the list can be had" nl-send -d get
within 20 "a forced detach is answered" nl-send detach index="$index" detach-mode=2
check_match "and has begun" '^state=2$' "$(cat answer)"
wait $waiting || true
wait $loading || note "no nbd on this kernel"
within 20 "a strict one waits for it now" nl-send detach index="$index"
check_match "as long as it does not hang" '^state=2$' "$(cat answer)"
within 20 "a change is refused" nl-send set index="$index" resize
check_match "as the device goes" '^ENODEV: ' "$(cat answer)"
mapped_disk_answers
wait $reader || true
check "all is gone after the disk came back" wait_for 20 is_gone "$DEV"
check "nothing is pinned" wait_for 10 umount mnt
modprobe -rq nbd || true
