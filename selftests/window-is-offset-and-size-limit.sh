#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: the device is exactly the bytes [offset, offset + size limit) of the
# image, cut at the image's end, for every combination that makes sense (B1, B4).
# Broken: another capacity, or bytes of another place.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 3M

# window OFFSET SIZELIMIT BYTES
window()
{
	attach -o "$1" --sizelimit "$2" disk.img
	check_equal "offset $1, limit $2: size" "$3" "$(blockdev --getsize64 "$DEV")"
	check "offset $1, limit $2: bytes" \
		cmp -n "$3" -i "$(($1)):0" disk.img "$DEV"
	check_equal "offset $1 in sysfs" "$(($1))" "$(sysfs "$DEV" dimgblk/offset)"
	check_equal "limit $2 in sysfs" "$(($2))" "$(sysfs "$DEV" dimgblk/sizelimit)"
	detach "$DEV"
}

window 0 0 3145728
window 512 0 3145216
window 0 512 512
window 1024 512 512
window 1048576 1048576 1048576
window 3145216 0 512
window 3145216 1048576 512
window 512 9223372036854774784 3145216
