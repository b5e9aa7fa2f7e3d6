#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: when a device is detached and another one gets its number between two looks of
# resize or compact, neither touches the other one, nor the image that the first one had.
# Broken: the image is cut for what another one has in it; holes in the map of one file are
# dug in another one.
. "$(dirname "$0")/lib/dimgblk.sh"

# Before its node is opened for the first time.
# shellcheck disable=SC2016
swap='[ "$3" = "$NODE" ] && [ ! -e swapped ] || exit 0
touch swapped
dimgsetup detach --force "$NODE"
[ "$(dimgsetup attach --index "${NODE#/dev/dimgblk}" b.img)" = "$NODE" ] || exit 5'

scratch_fs ext4
cd "$MNT"
# zeros that have room in one file, and data in their place in the other one
dd if=/dev/zero of=a.img bs=1M count=16 status=none
make_image b.img 16M
a=$(sha256sum <a.img) b=$(sha256sum <b.img)
keep()
{
	rm -f swapped
	attach a.img
	NODE=$DEV refused 2 'its number given to another one' \
		before-call openat "$swap" dimgsetup "$@"
	check "another one had its number" [ -e swapped ]
	detach "$DEV"
	check_equal "$1: the image is as it was" "$a" "$(sha256sum <a.img)"
	check_equal "$1: the other one, too" "$b" "$(sha256sum <b.img)"
}
keep resize --shrink a.img 8M
keep resize --all a.img 24M
keep compact a.img

# An exclusive open of such a device, and its close, would be the end of it.
# shellcheck disable=SC2016
swap='[ "$3" = "$NODE" ] || exit 0
n=$(($(cat opens 2>/dev/null || echo 0) + 1))
echo $n >opens
[ $n = 2 ] || exit 0
dimgsetup detach --force "$NODE"
[ "$(dimgsetup attach --auto-detach --index "${NODE#/dev/dimgblk}" b.img)" = "$NODE" ] || exit 5
touch swapped'
# stays IMAGE COMMAND...: another one comes after the first look, the open of the disk
stays()
{
	local status=0
	rm -f opens swapped
	attach "$1"
	NODE=$DEV before-call openat "$swap" dimgsetup "${@:2}" >out 2>err || status=$?
	check_equal "$2: exit status" 2 "$status"
	check_match "$2: it is told" 'its number given to another one' "$(cat err)"
	check "$2: another one had its number" [ -e swapped ]
	check "$2: one that goes by itself is still there" dimgsetup show "$DEV"
	detach "$DEV"
	check_equal "$2: as it was" "$b" "$(sha256sum <b.img)"
}
stays a.img compact a.img
make_image ext.img 16M
make_fs ext4 ext.img
stays ext.img resize --all --shrink ext.img 8M
cd "$TMP"
