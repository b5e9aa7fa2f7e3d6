# SPDX-License-Identifier: GPL-2.0
# An image on a file system that answers what the test says (helpers/liar.c).
# Owns the mount and the control file; sourced after dimgblk.sh.
# shellcheck shell=bash

# liar_mount [-d] SIZE: lies/image is an empty image of that size, whose bytes are
# in the file truth. Until the end of the script.
liar_mount()
{
	local size=${*: -1}
	requires_command liar
	modprobe -q fuse || [ -e /dev/fuse ] || skip "no FUSE in this kernel"
	mkdir -p lies
	rm -f truth
	truncate -s "$size" truth
	truth_only
	liar "${@:1:$#-1}" truth answers lies
	defer release_mount "$TMP/lies"
}

# answers "OP ANSWER [BYTE]"...: from now on these. Written in place: for a moment
# there is no line, which ends a stall.
answers()
{
	printf '%s\n' "$@" >"$TMP/answers"
}

truth_only()
{
	: >"$TMP/answers"
}

liar_pid()
{
	cat "$TMP/answers.pid"
}

# attach_lies [option]...: as attach; whatever the script had the liar say does not
# keep the device from being detached at the end.
attach_lies()
{
	attach "$@" lies/image
	defer truth_only
	udevadm settle
}

# errors_of DEVICE: how many requests failed.
errors_of()
{
	dimgsetup list -n -o ERRORS "$1" | tr -d ' '
}
