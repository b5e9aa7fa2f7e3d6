#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: with a line of type dimg in fstab "mount DIR", "mount -a" (again and again),
# "mount -o remount" and "umount DIR" work, with options for attach, for the file
# system and for programs; exit codes are mount(8)'s; -f changes nothing.
# Broken: a stock loop device instead of ours, options that reach the wrong one.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir dir auto
defer release_mount "$TMP/dir"
defer release_mount "$TMP/auto"
truncate -s 32M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=16M\n'
attach -P disk.img
make_fs ext4 "${DEV}p1"
detach "$DEV"
truncate -s 16M auto.img
make_fs ext4 auto.img

# status WANTED COMMAND...: the exit code of mount(8).
status()
{
	local want=$1 got=0
	shift
	"$@" >out 2>&1 || got=$?
	check_equal "$* -> $want" "$want" $got
	[ "$want" = $got ] || note_text "$(cat out)"
}

cat >fstab <<END
$TMP/disk.img $TMP/dir dimg noauto,dimg.part=1,dimg.name=from-fstab,noatime,user,_netdev,x-test.y 0 0
$TMP/auto.img $TMP/auto dimg dimg.direct=off,x-systemd.automount,comment=foo 0 0
$TMP/none.img $TMP/none dimg nofail 0 0
END
[ -e /etc/fstab ] || touch /etc/fstab
mount --bind fstab /etc/fstab
defer umount /etc/fstab

status 0 mount dir
check_match "type, options of the file system" "^/dev/dimgblk[0-9]+ ext4 .*noatime" \
	"$(findmnt -rno SOURCE,FSTYPE,OPTIONS dir)"
dev=$(findmnt -rno SOURCE dir)
check_equal "option of attach: part" 1048576 "$(sysfs "$dev" dimgblk/offset)"
check_equal "option of attach: name" from-fstab "$(sysfs "$dev" dimgblk/name)"
status 0 mount -o remount,ro dir
check_match "remounted read-only" "^ro" "$(findmnt -rno OPTIONS dir)"
status 0 umount dir
check "nothing is attached" wait_for 10 nothing_attached

status 0 mount -a
check "mount -a mounts what is auto" mountpoint -q auto
check_fails "and not what is noauto" mountpoint -q dir
status 0 mount -a
check_equal "once, also the second time" 1 "$(findmnt -rn auto | wc -l)"
status 0 umount auto
check "nothing is attached" wait_for 10 nothing_attached

status 0 mount -f dir
status 0 mount -t dimg -o ro,dimg.part=1 disk.img dir
check_equal "ro reaches the device" 1 "$(sysfs "$(findmnt -rno SOURCE dir)" ro)"
status 0 umount dir
status 0 mount -t dimg.ext4 -o dimg.part=1 disk.img dir
status 0 umount dir
status 0 mount.dimg disk.img dir -n -o dimg.part=1
status 0 umount dir
check "nothing is attached" wait_for 10 nothing_attached

status 1 mount -t dimg -o dimg.bogus disk.img dir
check_match "which is said" "no option \"bogus\"" "$(cat out)"
status 0 mount.dimg -s -o dimg.bogus,dimg.part=1 disk.img dir
umount dir
status 32 mount -t dimg disk.img dir
check_match "what would help is said in its words" "dimg.part=1" "$(cat out)"
status 32 mount -t dimg missing.img dir
status 0 mount none
status 32 mount -t dimg auto.img missing
status 1 mount.dimg auto.img
status 1 setpriv --reuid 65534 --clear-groups mount.dimg -r "$TMP/auto.img" dir
status 1 mount.dimg -o loop auto.img dir
check "nothing is attached" nothing_attached

# An interrupt before there is a mount leaves nothing: here it waits for its turn.
exec {lock}<auto.img
flock $lock
mount.dimg auto.img dir & pid=$!
wait_for 10 sh -c "ls -l /proc/$pid/fd | grep -q auto.img"
kill -TERM $pid
code=0
wait $pid || code=$?
exec {lock}<&-
check_equal "interrupted" 8 $code
check "nothing is attached" nothing_attached
