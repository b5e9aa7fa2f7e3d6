#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: each wrong use ends with the documented exit code and a sentence with the
# cause; nothing is attached by any of them.
# Broken: exit 0, a bare errno, or a half-done job.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
: >empty.img
truncate -s 100 small.img
cp disk.img ro.img
# usage
for args in "nonsense" "attach" "attach --nonsense disk.img" "attach -o x disk.img" \
	"attach -o -1 disk.img" "attach -o 99999999999999999999 disk.img" "attach -o 1Q disk.img" \
	"attach -b big disk.img" "attach --direct-io=maybe disk.img" "attach disk.img other.img" \
	"attach --index x disk.img" "attach -d /dev/sda disk.img" "detach" "detach --nonsense" \
	"show" "resize" "set" "set disk.img" "list --nonsense" "list -o NOSUCH" "list --json --raw" \
	"atta disk.img"; do
	# shellcheck disable=SC2086
	refused 1 '.{20,}' dimgsetup $args
done
# not found
refused 2 'nosuch' dimgsetup attach nosuch.img
refused 2 'nosuch' dimgsetup detach nosuch.img
refused 2 'nosuch' dimgsetup list nosuch.img
refused 2 'dimgblk77' dimgsetup detach /dev/dimgblk77
refused 2 'dimgblk77' dimgsetup resize dimgblk77
refused 2 '.{10,}' dimgsetup set nosuch --direct-io=on
# bad value told by the kernel, bad kind of file
refused 4 'multiples of 512' dimgsetup attach -o 511 disk.img
refused 4 '.{20,}' dimgsetup attach -o 1M disk.img
refused 4 'empty|512' dimgsetup attach empty.img
refused 4 '512' dimgsetup attach small.img
refused 4 'direct' dimgsetup attach .
refused 4 '.{20,}' dimgsetup attach --name a/b disk.img
# read-only file: no silent change to a read-only device
mount --bind ro.img ro.img
defer release_mount "$TMP/ro.img"
mount -o remount,bind,ro ro.img
status=0
out=$(dimgsetup attach ro.img 2>&1) || status=$?
check "a read-only file is refused" test $status = 4 -o $status = 5
check_match "with the remedy" '(-r|read-only)' "$out"
attach -r ro.img
check "which works" cmp ro.img "$DEV"
detach "$DEV"
check "nothing is attached" nothing_attached
