#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: a file made by create or snapshot lets in who the umask lets in, but nobody whom the
# image or the file that had the name kept out: by its mode, by an ACL, or since the new
# directory has permissions for its files; and nobody at all before it is complete.
# Broken: an image of 0600 can be read by the group, since one user may read it.
. "$(dirname "$0")/lib/dimgblk.sh"

# acl FILE NAME USER GROUP MASK OTHERS: what user 1, the group and others may, as digits
acl()
{
	perl -e '
		my ($file, $name, $user, $group, $mask, $others) = @ARGV;
		my $acl = pack("V (vvV)5", 2, 1, 6, 0xffffffff, 2, $user, 1, 4, $group, 0xffffffff,
			0x10, $mask, 0xffffffff, 0x20, $others, 0xffffffff);
		exit(syscall(188, $file, $name, $acl, length($acl), 0) ? 1 : 0);' \
		"$1" "system.posix_acl_$2" "${@:3}"
}
mode() { stat -c %a "$1"; }
has_acl()
{
	perl -e '
		my ($file, $name, $buf) = (@ARGV, "x" x 256);
		exit(syscall(191, $file, $name, $buf, 256) > 0 ? 0 : 1)' \
		"$1" system.posix_acl_access
}

scratch_fs ext4
cd "$MNT"
umask 022
check "made" dimgsetup create plain.img 1M
check_equal "by the umask" 644 "$(mode plain.img)"
(umask 027 && dimgsetup create narrow.img 1M)
check_equal "by another one" 640 "$(mode narrow.img)"
chmod 600 narrow.img
check "again" dimgsetup create --force narrow.img 1M
check_equal "as narrow as it was" 600 "$(mode narrow.img)"
check "copied" dimgsetup snapshot narrow.img copy.img
check_equal "as narrow as the image" 600 "$(mode copy.img)"

make_image acl.img 1M
chmod 600 acl.img
acl acl.img access 6 0 6 0
check_equal "what looks like the group's is the mask" 660 "$(mode acl.img)"
check "copied" dimgsetup snapshot acl.img acl.copy
check_equal "not for the group" 600 "$(mode acl.copy)"
check "made anew" dimgsetup create --force acl.img 1M
check_equal "not for the group, either" 600 "$(mode acl.img)"

make_image out.img 1M
chmod 644 out.img
acl out.img access 0 4 4 4
check_equal "anybody may read it but one" 644 "$(mode out.img)"
check "copied" dimgsetup snapshot out.img out.copy
check_equal "and that one has not got in" 600 "$(mode out.copy)"
check "made anew" dimgsetup create --force out.img 1M
check_equal "nor here" 600 "$(mode out.img)"

mkdir team
acl team default 6 0 6 0
check "in a directory with an ACL for files" dimgsetup create team/new.img 1M
check_equal "as the directory says" 660 "$(mode team/new.img)"
check "with its ACL" has_acl team/new.img
chmod 640 plain.img
check "copied to there" dimgsetup snapshot plain.img team/copy.img
check_fails "without it" has_acl team/copy.img
check_equal "and for its owner" 600 "$(mode team/copy.img)"

if modprobe -q vfat; then
	mkdir fat
	truncate -s 32M fat.img
	mkfs.vfat fat.img >/dev/null
	attach fat.img
	mount -o umask=000 "$DEV" fat
	defer release_mount "$MNT/fat"
	check "made where there are no permissions" dimgsetup create fat/new.img 1M
	umount fat
	detach "$DEV"
fi

chmod 644 plain.img
# Before it has its name, where files in the making have one: "." is opened as the directory
# first, and then for a file without a name.
# shellcheck disable=SC2016
look='stat -c %a .named.img.dimgsetup-new >>modes 2>/dev/null; exit 0'
# shellcheck disable=SC2016
no_tmpfile='[ "$3" != . ] || [ ! -e opened ] || exit 95; [ "$3" != . ] || touch opened; '$look
check "made where each file has a name" \
	before-call openat,ftruncate,fsync "$no_tmpfile" dimgsetup snapshot --method=copy plain.img named.img
check_equal "seen before it was complete: for its owner only, and as the image at the end" \
	"600 644 " "$(uniq modes | tr '\n' ' ')"
check_equal "and then" 644 "$(mode named.img)"
cd team
rm -f opened modes
chmod 640 ../plain.img
check "and where the directory lets others in" \
	before-call openat,ftruncate,fsync "$no_tmpfile" dimgsetup snapshot --method=copy ../plain.img named.img
check_equal "for its owner only as soon as it is known whose copy it is" 600 \
	"$(sed -n '/^600$/p' modes | uniq)"
check_equal "nor for others when data is in it" "" "$(sed '1,/^600$/d; /^600$/d' modes)"
cd "$TMP"
