#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: numbers of a device can be read by all, path and inode of the image only
# with CAP_SYS_ADMIN, over netlink and in sysfs (L10).
# Broken: any user learns which files root works on.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image secret.img 1M
attach -r secret.img
defer dimgsetup detach --all "$TMP/secret.img"
index=$(index_of "$DEV")
as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups --)

check_match "root sees the path" 'backing-path=.*secret.img' "$(nl-send get index="$index")"
for op in "get index=$index" "-d get"; do
	# shellcheck disable=SC2086
	out=$("${as_user[@]}" nl-send $op)
	check_match "user, $op: numbers" 'capacity=2048' "$out"
	check_equal "user, $op: no path, no inode" "" "$(grep -E "backing-|secret" <<<"$out" || true)"
done
# A dump comes in parts; those after the first are made for who reads, not who sent.
for _ in {1..60}; do
	nl-send attach backing-fd=9 flags=1 9<secret.img >/dev/null
done
check "root sees all paths" test "$(nl-send -d get | grep -c backing-path)" = 61
out=$(nl-send -o 1000 -s 1000 -r -d get)
check_equal "a user's list that root reads has all devices" 61 "$(grep -c '^index=' <<<"$out")"
check_equal "and no path, no inode" "" "$(grep -E "backing-|secret" <<<"$out" || true)"
check_equal "mode of backing_file" 400 "$(stat -c %a "/sys/block/${DEV#/dev/}/dimgblk/backing_file")"
check_match "root reads it" 'secret.img' "$(sysfs "$DEV" dimgblk/backing_file)"
check_fails "user does not" "${as_user[@]}" cat "/sys/block/${DEV#/dev/}/dimgblk/backing_file"
check_match "root without CAP_SYS_ADMIN does not" '^$' "$(setpriv --bounding-set=-sys_admin \
	--inh-caps=-all -- nl-send get index="$index" | grep backing-path || true)"
