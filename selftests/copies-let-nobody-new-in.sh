#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: a file made by create or snapshot lets in who the umask lets in, but nobody whom the
# image or the file that had the name kept out: by its mode, by an ACL, or since the new
# directory has permissions for its files; and nobody at all before it is complete.
# Broken: an image of 0600 can be read by the group, since one user may read it.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command setfacl
mode() { stat -c %a "$1"; }
has_acl() { [ -n "$(getfacl -cs "$1")" ]; }

# kept_out FILE: has an ACL; neither its copy nor what is made in its place lets others in
kept_out()
{
	check "copied" dimgsetup snapshot "$1" "$1.copy"
	check_equal "for its owner only" 600 "$(mode "$1.copy")"
	check "made anew" dimgsetup create --force "$1" 1M
	check_equal "for its owner only, too" 600 "$(mode "$1")"
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

make_image one.img 1M
setfacl -m u::6,u:1:6,g::0,m::6,o::0 one.img
check_equal "one more is let in: what looks like the group's is the mask" 660 "$(mode one.img)"
kept_out one.img

make_image out.img 1M
setfacl -m u::6,u:1:0,g::4,m::4,o::4 out.img
check_equal "anybody may read it but one" 644 "$(mode out.img)"
kept_out out.img

mkdir team
setfacl -d -m u::6,u:1:6,g::0,m::6,o::0 team
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
	refused 4 'permissions of its own' before-call ftruncate 'touch begun' \
		dimgsetup snapshot narrow.img fat/copy.img
	check "told before the work" [ ! -e begun ]
	check_equal "which leaves nothing" new.img "$(ls -A fat)"
	umount fat
	mount -o umask=022 "$DEV" fat
	chmod 644 plain.img
	check "where others may read, as they may here" dimgsetup snapshot plain.img fat/copy.img
	refused 4 'permissions of its own' dimgsetup snapshot --force narrow.img fat/copy.img
	check "the one before is there" cmp plain.img fat/copy.img
	check "made anew" sh -c "umask 077 && dimgsetup create --force fat/copy.img 1M"
	check_equal "what was there let others in, too" 755 "$(mode fat/copy.img)"
	umount fat
	mount -o uid=1,umask=077 "$DEV" fat
	refused 4 'gives it to user 1,' dimgsetup snapshot narrow.img fat/own.img
	check "what all may read may be his" dimgsetup snapshot plain.img fat/own.img
	umount fat
	# a change of the group is a success there, and changes nothing
	mount -o gid=1,fmask=137,quiet "$DEV" fat
	install -m 640 narrow.img group.img
	refused 4 'permissions of its own' dimgsetup snapshot group.img fat/group.img
	check "no copy" [ ! -e fat/group.img ]
	umount fat
	detach "$DEV"
fi

check "where no mode can be set, and it has the right one" \
	before-call fchmod 'exit 1' dimgsetup snapshot narrow.img as-made.img
check_equal "which it keeps" 600 "$(mode as-made.img)"
rm as-made.img
mkdir refusing
chmod 644 plain.img
for nth in 1 2; do
	refused 4 'lets no modes be set: Operation not permitted' \
		before-call fchmod "[ \$2 -lt $nth ] || exit 1" dimgsetup snapshot plain.img refusing/copy.img
	check_equal "which leaves nothing ($nth)" "" "$(ls -A refusing)"
done
refused 7 'cannot set its mode: .*error' \
	before-call fchmod 'exit 5' dimgsetup snapshot plain.img refusing/copy.img
check "made with the mode that can be had" before-call fchmod 'exit 1' dimgsetup create refusing/new.img 1M
check_equal "for its owner" 600 "$(mode refusing/new.img)"

check "who cannot see whether there is an ACL" \
	before-call fgetxattr 'exit 12' dimgsetup snapshot plain.img acl.img
check_equal "lets its owner in only" 600 "$(mode acl.img)"

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
