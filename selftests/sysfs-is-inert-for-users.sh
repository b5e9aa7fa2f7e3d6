#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a user who reads and writes every sysfs file of the driver changes
# nothing and learns no path (L10, CVE-2020-10781).
# Broken: an attribute with a side effect on read.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image secret.img 1M
attach secret.img
before=$(nl-send -d get)
read_and_write_all()
{
	find "/sys/block/${DEV#/dev/}/" /sys/module/dimgblk/ -type f | while read -r f; do
		timeout 2 cat "$f" 2>/dev/null
		echo 1 2>/dev/null >"$f"
	done | tr -d '\0'
}
export -f read_and_write_all
export DEV
out=$(setpriv --reuid 1000 --regid 1000 --clear-groups -- bash -c read_and_write_all 2>/dev/null) || true
check "it could read something" test ${#out} -gt 100
check_equal "no path in it" "" "$(grep -a secret <<<"$out" || true)"
check_equal "nothing changed" "$before" "$(nl-send -d get)"
