#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: an image whose name has newlines, escape sequences, quotes, bytes that are
# no UTF-8, or 4 KiB of path is listed so that no parser and no terminal is
# fooled, and the name never reaches the uevent environment (L11).
# Broken: a second line in list, a colour on the terminal, JSON that is none.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command jq
i=0
for name in $'two\nlines' $'esc\e[31mred' 'quote"back\slash' 'sp ace' 'x (deleted)' $'\xff\xfe' \
	$'tab\there' '-o' "$(printf 'n%.0s' {1..250})"; do
	make_image "./$name" 64K
	attach "./$name"
	i=$((i + 1))
	check_equal "$i: one line in list" 1 "$(dimgsetup list -n | wc -l)"
	check_equal "$i: one line in raw" 1 "$(dimgsetup list -n --raw -o BACK-FILE | wc -l)"
	check_equal "$i: no control characters" "" "$(dimgsetup list | LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f]' || true)"
	check_equal "$i: none in show" "" "$(dimgsetup show "$DEV" | LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f]' || true)"
	check "$i: JSON parses" sh -c "dimgsetup list --json | jq -e '.dimgdevices|length == 1'"
	check "$i: uevent has no name" sh -c "! grep -a BACK '/sys/block/${DEV#/dev/}/uevent'"
	check "$i: found by its name" dimgsetup list "./$name"
	detach "./$name" || fail "$i: detach by its name"
done

mkdir mounted
mount -t tmpfs $'\e]0;title\a\ndimgsetup: all is well' mounted
defer release_mount "$TMP/mounted"
refused 4 'x1b.0;title.x07.x0adimgsetup' dimgsetup umount mounted
check_equal "no control characters in a sentence" "" \
	"$(LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f]' "$TMP/.stderr" || true)"
umount mounted
refused 1 'x1b.2J.*is too much' dimgsetup attach a.img $'\e[2J\ndimgsetup: all is well'
check_equal "nor in what is wrong with a command line" "" \
	"$(LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f]' "$TMP/.stderr" || true)"
check_equal "nor a line of somebody else" "" "$(grep '^dimgsetup: all' "$TMP/.stderr" || true)"
make_image disk.img 1M
mkfs.ext4 -q disk.img 2>/dev/null
odd=$'odd\e[31m'
mkdir "$odd"
mount -t tmpfs none "$odd"
defer release_mount "$PWD/$odd"
# not a directory to mount on
touch "$odd/file"
refused 2 'is no directory' dimgsetup mount disk.img "$odd/file"
check_equal "nor in why something cannot be mounted" "" \
	"$(LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f]' "$TMP/.stderr" || true)"
umount "$odd"
rm disk.img
long=$(printf 'd%.0s' {1..200})
for _ in {1..18}; do mkdir "$long" && cd "$long"; done
make_image disk.img 64K
attach disk.img
check "a path of more than 3600 bytes" sh -c "dimgsetup list --json | jq -e '.dimgdevices|length == 1'"
cd "$TMP"
