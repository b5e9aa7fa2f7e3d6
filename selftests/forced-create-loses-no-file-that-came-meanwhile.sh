#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: create --force and snapshot --force replace the file that they looked at and no
# other: one that gets the name between the last look and the replacement is kept, and
# told of; also where files in the making have a name (vfat).
# Broken: somebody's file is gone without a word.
. "$(dirname "$0")/lib/dimgblk.sh"

in_dir() { find "$1" -mindepth 1 -printf '%P\n' | sort | tr '\n' ' '; }

# before_rename COMMAND PROGRAM...: the command runs before each rename of the program
before_rename()
{
	before-call renameat,renameat2 "$@"
}

# fresh: three files that say which they are; the first one may be replaced
fresh()
{
	rm -rf "${dir:?}"/* "$dir"/.[!.]*
	echo old >"$dir/target"
	echo second >"$dir/second"
	echo third >"$dir/third"
}

# for the shell that runs before a rename: $1 is the call, $2 the count of them
# shellcheck disable=SC2016
once='[ "$2" != 1 ] || mv -f second target'
# shellcheck disable=SC2016
twice="$once; "'[ "$2" != 2 ] || mv -f third target'
# shellcheck disable=SC2016
vanish='[ "$2" != 1 ] || rm target'
# shellcheck disable=SC2016
no_exchange='[ "$1" != renameat2 ] || exit 22'

races()
{
	local dir=$PWD command
	for command in "create --force target 1M" "snapshot --force $TMP/source.img target"; do
		fresh
		# shellcheck disable=SC2086 # words
		refused 4 'has appeared meanwhile' before_rename "$once" dimgsetup $command
		check_equal "$1, ${command%% *}: it is kept" second "$(cat target)"
		check_equal "$1: nothing else is left" "target third " "$(in_dir .)"
	done
	fresh
	refused 4 'got this name twice.*\.target\.dimgsetup-new' \
		before_rename "$twice" dimgsetup create --force target 1M
	check_equal "$1, two files: the last one has the name" third "$(cat target)"
	check_equal "$1: the first one is where it was told" second "$(cat .target.dimgsetup-new)"
	fresh
	check "$1, removed meanwhile: it is made" before_rename "$vanish" \
		dimgsetup create --force target 1M
	check_equal "$1: as asked for" 1048576 "$(stat -c %s target)"
	fresh
	check "$1: without an exchange it is replaced, too" \
		before_rename "$no_exchange" dimgsetup create --force target 1M
	check_equal "$1: as asked for" 1048576 "$(stat -c %s target)"
	check_equal "$1: nothing else is left" "second target third " "$(in_dir .)"
	fresh
	refused 4 'has appeared meanwhile' before_rename "$once; $no_exchange" \
		dimgsetup create --force target 1M
	check_equal "$1: and a last look taken" second "$(cat target)"
	check_equal "$1: nothing else is left" "target third " "$(in_dir .)"
	fresh
	check "$1: undisturbed it is replaced" dimgsetup create --force target 1M
	check_equal "$1: nothing else is left" "second target third " "$(in_dir .)"
}

make_image source.img 1M
mkdir here
cd here
races tmpfs
cd "$TMP"
if modprobe -q vfat; then
	scratch_fs vfat
	cd "$MNT"
	races vfat
	cd "$TMP"
fi
