#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
# Claim: when the last user of an auto-detach device is killed while its close waits for
# the image to be synced, the sync is done without him, and the device goes then.
# Broken: "kill -9" of an umount that takes long gives recent writes up, and the log has
# an errno that nobody knows.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

liar_mount 16M
attach_lies --auto-detach
make_fs ext4 lies/image
blockdev --flushbufs "$DEV"
mkdir upper
mount -o ro "$DEV" upper
defer release_mount "$TMP/upper"
dmesg_mark
# The question is not even read, so the kernel lets a killed task go.
kill -STOP "$(liar_pid)"
let_go() { kill -CONT "$(liar_pid)" 2>/dev/null || true; }
defer let_go
umount upper &
umount=$!
check "the close waits" wait_for 10 grep -q fsync /proc/$umount/stack
kill -9 $umount
check "and can be killed" wait_for 10 sh -c "! kill -0 $umount"
check_match "the device waits for its sync" "$DEV" "$(dimgsetup list)"
let_go
check "and is gone after it" wait_for 20 is_gone "$DEV"
check_equal "no complaint" "" "$(dmesg_since_mark | grep 'last sync' || true)"
check "the image is free" wait_for 10 umount lies
