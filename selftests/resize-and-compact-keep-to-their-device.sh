#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: when a device is detached and another one gets its number between two looks of
# resize or compact, neither touches the other one, nor the image that the first one had.
# Broken: the image is cut for what another one has in it; holes in the map of one file are
# dug in another one.
. "$(dirname "$0")/lib/dimgblk.sh"

# Before the open number AT of its node. An exclusive open of the other one, and its close,
# would be its end.
# shellcheck disable=SC2016
swap='[ "$3" = "$NODE" ] || exit 0
n=$(($(cat opens 2>/dev/null || echo 0) + 1))
echo $n >opens
[ $n = "$AT" ] || exit 0
dimgsetup detach --force "$NODE"
dimgsetup attach --auto-detach --index "${NODE#/dev/dimgblk}" b.img >attached 2>said || exit 5
touch swapped'

scratch_fs ext4
cd "$MNT"
# zeros that have room in one file, and data in their place in the other one
dd if=/dev/zero of=a.img bs=1M count=16 status=none
make_image b.img 16M
a=$(sha256sum <a.img) b=$(sha256sum <b.img)
# keep AT COMMAND...: a.img is looked at, not open, when it happens
keep()
{
	local what="$2, open $1"
	rm -f opens swapped
	attach a.img
	AT=$1 NODE=$DEV refused 2 'its number given to another one' \
		before-call openat "$swap" dimgsetup "${@:2}"
	check "$what: another one had its number" [ -e swapped ]
	check "$what: and is still there" dimgsetup show "$DEV"
	detach "$DEV"
	check_equal "$what: the image is as it was" "$a" "$(sha256sum <a.img)"
	check_equal "$what: the other one, too" "$b" "$(sha256sum <b.img)"
}
keep 1 resize --shrink a.img 8M
keep 1 resize --all a.img 24M
keep 1 compact a.img
keep 2 compact a.img

# The programs of file systems take names: from the first open on, no other one gets it.
# stays AT IMAGE COMMAND...: it is open
stays()
{
	local what="$3, open $1" status=0
	rm -f opens said swapped
	attach "$2"
	AT=$1 NODE=$DEV before-call openat "$swap" dimgsetup "${@:3}" >out 2>err || status=$?
	check "$what: it has failed" [ "$status" != 0 ]
	check "$what: no other one got its number" [ ! -e swapped ]
	check_match "$what: and why not" 'somebody still has it open' "$(cat said)"
	check_equal "$what: the other one is as it was" "$b" "$(sha256sum <b.img)"
}
stays 3 a.img compact a.img
make_image ext.img 16M
make_fs ext4 ext.img
for at in 2 5; do
	stays $at ext.img resize --all --shrink ext.img 8M
done
cd "$TMP"
