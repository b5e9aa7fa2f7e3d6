#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-cpus: 2
# Claim: attach --reuse prints the device that has the image already, attaches if
# there is none, and refuses one that differs, telling in what; many at once get one
# device.
# Broken: a second device for one image, or another one than was asked for.
. "$(dirname "$0")/lib/dimgblk.sh"

reuse() { dimgsetup attach --reuse "$@"; }
devices() { dimgsetup list -n --raw -o NAME | wc -l; }

make_image disk.img 8M
ln disk.img link.img
FIRST=$(reuse disk.img)
check "attached, since nobody had it" test -b "$FIRST"
check_equal "the same" "$FIRST" "$(reuse disk.img)"
check_equal "the same by a link" "$FIRST" "$(reuse "$TMP/link.img")"
check_match "as JSON" "\"name\": ?\"$FIRST\"" "$(reuse --json disk.img)"
check_equal "explicit defaults" "$FIRST" "$(reuse -b 512 -o 0 --sizelimit 0 disk.img)"
refused 4 'differs.*read-only' dimgsetup attach --reuse -r disk.img
refused 4 'differs.*offset, size limit$' dimgsetup attach --reuse -o 1M --sizelimit 1M disk.img
refused 4 'differs.*auto-detach, logical block size$' dimgsetup attach --reuse --auto-detach -b 4096 disk.img
refused 4 'differs.*partition scan, number$' dimgsetup attach --reuse -P --index 77 disk.img
refused 4 'differs.*name' dimgsetup attach --reuse --name other disk.img
check_equal "one device" 1 "$(devices)"
detach "$FIRST"

# another window of the file is another thing
FIRST=$(reuse --sizelimit 4M --name low disk.img)
SECOND=$(reuse -o 4M disk.img)
check "two windows" test "$FIRST" != "$SECOND"
check_equal "each is found" "$FIRST $SECOND" \
	"$(reuse --sizelimit 4M --name low disk.img) $(reuse -o 4M disk.img)"
detach --all disk.img

# at once: writable, read-only
for option in -P -r; do
	for i in 1 2 3 4 5 6; do
		reuse $option disk.img >"node.$i" &
	done
	wait
	check_equal "six at once: one device ($option)" "1 1" \
		"$(devices) $(cat node.? | sort -u | wc -l)"
	check_equal "all have got it ($option)" 6 "$(cat node.? | wc -l)"
	detach "$(cat node.1)"
done

# a block device is claimed by its device, and found all the same
make_image lower.img 4M
attach lower.img
UPPER=$(reuse "$DEV")
check_equal "a block device" "$UPPER" "$(reuse "$DEV")"
detach "$UPPER"
refused 2 nosuch dimgsetup attach --reuse nosuch.img
detach "$DEV"
