#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: every command takes the node, its bare name, a symbolic link to it, the
# image (by any path) or the device's name; detach of an image with several
# devices asks for --all.
# Broken: the wrong device detached, or a path that is not recognised.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 2M
ln -s disk.img link.img
ln disk.img hard.img
attach --name testname disk.img
ln -s "$DEV" devlink
for word in "$DEV" "${DEV#/dev/}" ./devlink disk.img ./disk.img "$TMP/disk.img" link.img \
	hard.img testname; do
	check_match "list $word" "$DEV" "$(dimgsetup list "$word" || true)"
	check_match "show $word" "$DEV" "$(dimgsetup show "$word" || true)"
done
check "set by image" dimgsetup set disk.img --direct-io=off
check "resize by name" dimgsetup resize testname
check "detach by image" detach link.img
check "gone" is_gone "$DEV"

attach --sizelimit 1M disk.img
one=$DEV
attach -o 1M disk.img
check_fails "detach of an image with two devices is refused" dimgsetup detach disk.img
check_match "and lists them" "$one" "$(dimgsetup detach disk.img 2>&1 || true)"
check "both are there" test -b "$one" -a -b "$DEV"
check "detach --all" detach --all disk.img
check "both are gone" nothing_attached
refused 2 'attached|found|no such' dimgsetup detach disk.img
refused 2 'attached|found|no such' dimgsetup detach nosuch.img
refused 2 'attached|found|no such' dimgsetup show /dev/dimgblk55
