#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a device with the flag socket-owner is detached when the socket that
# attached it is closed, also by kill -9: at once if nobody has it open, else at
# the last close; not before its last holder is gone, and no other device with it.
# Broken: a killed mount(8) leaves a device that nobody knows of.
. "$(dirname "$0")/lib/dimgblk.sh"

OWNER=32

# attach_owned FILE: by a child that keeps the socket; sets DEV and OWNER_PID.
attach_owned()
{
	local seq
	[ -p keep ] || mkfifo keep
	: >answer
	nl-send -k attach backing-fd=9 flags=$OWNER 9<>"$1" <keep >answer &
	OWNER_PID=$!
	exec 8>keep
	wait_for 10 grep -q '^index=' answer || die "attach: $(cat answer)"
	wait_for 10 grep -q '^minor=' answer
	DEV=/dev/dimgblk$(field index "$(cat answer)")
	seq=$(field diskseq "$(cat answer)")
	defer forget_device "$DEV" "$seq"
	wait_for 10 test -b "$DEV"
}

flags_of() { field flags "$(nl-send get index="$(index_of "$1")")"; }
# The node goes before the image is free again.
unlisted() { is_gone "$1" && ! nl-send get index="$(index_of "$1")" >/dev/null; }

make_image disk.img 8M
make_image other.img 4M
attach other.img
other=$DEV

attach_owned disk.img
check_equal "the flag is told" $OWNER "$(flags_of "$DEV")"
kill -9 $OWNER_PID
check "killed: gone" wait_for 10 unlisted "$DEV"
exec 8>&-
wait $OWNER_PID 2>/dev/null || true

attach_owned disk.img
exec 8>&-
check_child "closed in peace" $OWNER_PID
check "gone" wait_for 10 unlisted "$DEV"

# In use: the file system ends it, and the image is free for the next.
make_fs ext4 disk.img
mkdir upper
attach_owned disk.img
mount "$DEV" upper
defer release_mount "$TMP/upper"
kill -9 $OWNER_PID
exec 8>&-
wait $OWNER_PID 2>/dev/null || true
no_owner() { [ "$(($(flags_of "$DEV") & OWNER))" = 0 ]; }
check "no owner any more" wait_for 10 no_owner
is_auto() { [ "$(sysfs "$DEV" dimgblk/autoclear)" = 1 ]; }
check "it waits for the last close" wait_for 10 is_auto
check "still works" touch upper/file
umount upper
check "gone with its user" wait_for 10 unlisted "$DEV"
check "the image is clean" e2fsck -fn disk.img

# A socket that lost its device to a detach has no claim on the successor. The
# devices further down are detached after that socket was closed, and prove that
# the time for a mistake was there.
attach_owned disk.img
check "an owned device is detached as any other" dimgsetup detach "$DEV"
attach disk.img
successor=$DEV
exec 8>&-
check_child "the owner ends" $OWNER_PID

# Many at a time, one socket each; the unrelated device stays.
for i in 1 2 3 4 5; do
	truncate -s 1M "many$i.img"
	nl-send attach backing-fd=9 flags=$OWNER "name=many$i" 9<>"many$i.img" >/dev/null
done
only_two() { [ "$(nl-send -d get | grep -c '^index=')" = 2 ]; }
check "none of five is left" wait_for 10 only_two
check "the unrelated one is" cmp other.img "$other"
check "and the successor" cmp disk.img "$successor"
detach "$other" "$successor"
