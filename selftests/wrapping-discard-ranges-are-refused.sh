#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: discard and zeroing ranges that wrap, are not aligned or end past the
# device are refused and leave the image alone (B11).
# Broken: start + length overflows and the wrong end of the image is punched.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
cp disk.img before.img
attach -o 1M --sizelimit 2M disk.img
for range in 2M:512 2096640:1024 0:18446744073709551104 512:18446744073709551104 \
	18446744073709551104:1024 9223372036854775808:512 100:512 512:100; do
	for op in discard zeroout; do
		fails_with 'EINVAL|ENOSPC|EOPNOTSUPP|EFBIG|EIO' blkop "$DEV" $op:$range
	done
done
fails_with 'EOPNOTSUPP|EINVAL' blkop "$DEV" secdiscard:0:4K
detach "$DEV"
check "the image is untouched" cmp before.img disk.img
