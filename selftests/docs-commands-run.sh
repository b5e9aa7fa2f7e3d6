#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Claim: what README.md and the admin guide tell people to type works as it
# stands there, from top to bottom.  If a command, an option or a default
# changes and the text does not, a step fails and is the last one in the log.

# shellcheck source=lib/dimgblk.sh
. "$(dirname "$0")/lib/dimgblk.sh"

checkout=$SELFTESTS/..
[ -x "$checkout/tools/doc-commands.sh" ] ||
	skip "the documents are not beside the selftests"

# What a document that broke off left behind: there can be no other device.
forget_all()
{
	local node place
	for place in $(findmnt -rno TARGET | grep "^$TMP/"); do
		umount "$place"
	done
	for node in /sys/block/dimgblk*; do
		[ ! -e "$node" ] ||
			forget_device "/dev/${node##*/}" "$(cat "$node/diskseq")"
	done
}
defer forget_all

# run_document TEXT: each one in an empty directory and a shell of its own.
run_document()
{
	local place steps
	place=$(mktemp -d "$TMP/doc.XXXXXX")
	steps=$("$checkout/tools/doc-commands.sh" guest "$checkout/$1")
	[ -n "$steps" ] || return 1
	(cd "$place" && printf '%s\n' "$steps" | sh -eux)
}

for text in README.md Documentation/admin-guide.rst; do
	check "each command of $text succeeds" run_document "$text"
	check "$text detaches what it attached" wait_for 10 nothing_attached
done
