#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# requires-cpus: 2
# Claim: a forced detach ends a device that is in use: its users get EIO, the
# node goes; requests stuck in a dead backing file do not stop it, and when the
# file comes back to life the last references go, too.
# Broken: an administrator who has to reboot because one disk died.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/mapped.sh"

make_image disk.img 1M
attach disk.img
exec 8<>"$DEV"
check "forced detach of an open device" detach --force "$DEV"
check_equal "its user reads nothing" 0 "$(dd bs=4k count=1 iflag=direct 2>/dev/null <&8 | wc -c || true)"
check_fails "and cannot write" sh -c "dd if=/dev/zero bs=4k count=1 oflag=direct >&8"
check "node is gone" wait_for 10 is_gone "$DEV"
exec 8>&-
check_fails "really" test -e "$DEV"

mapped_fs ext2
make_image mnt/dead.img 4M
sync
attach --direct-io=on mnt/dead.img
mapped_disk_hangs
blkop -d "$DEV" read:0:64K:1 >out 2>&1 &
stuck=$!
check "a request is stuck" wait_for 10 in_flight "$DEV"
start=$SECONDS
nl-send detach index="$(index_of "$DEV")" detach-mode=2 >reply || true
check "the reply came within 15 s" test $((SECONDS - start)) -lt 15
check_match "and says dead" '^state=2$' "$(cat reply)"
# direct I/O is in effect, so there would be nothing to switch
kernel_refuses ENODEV nl-send set index="$(index_of "$DEV")" direct=1
kernel_refuses ENODEV nl-send set index="$(index_of "$DEV")" resize
mapped_disk_answers
wait $stuck || true
check "all is gone after the disk came back" wait_for 20 is_gone "$DEV"
check "nothing is pinned" wait_for 10 umount mnt
