#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: an attribute of the wrong length or type, an unknown or nested one, and
# a switch or mode that does not exist are refused; validation is strict (N8).
# Broken: a short attribute read beyond its end, an option dropped in silence.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
check "every attribute, every wrong length" nl-malformed types 9 9<>disk.img
for bad in flags=64 flags=0x80000000 direct=3 offset=u32:0 index=u8:1 name=raw:noend \
	capacity=8 state=0 event=1 detach-mode=0 99=u32:1 pad=raw:1234; do
	out=$(nl-send attach backing-fd=9 $bad 9<>disk.img) || true
	check_match "attach with $bad" '^(EINVAL|ERANGE)' "$out"
done
check_match "a command that does not exist" '^EOPNOTSUPP' "$(nl-send 99 || true)"
check_match "an event is no command" '^EOPNOTSUPP' "$(nl-send event || true)"
check "nothing came into being" nothing_attached
