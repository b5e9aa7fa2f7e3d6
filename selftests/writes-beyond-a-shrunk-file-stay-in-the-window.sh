#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: when the image was truncated, a write re-extends it, never beyond the
# window, and what lies between is zeros (B8).
# Broken: the file grows past offset + size, or the write is lost.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
attach -o 1M --sizelimit 2M disk.img
truncate -s 1536K disk.img
check "write at the end of the window" blkop -d "$DEV" write:2093056:4K:5 fsync
check_equal "the file ends where the window ends" $((3 << 20)) "$(stat -c %s disk.img)"
check "zeros between" blkop -d "$DEV" zero:512K:1M
check "the write is there" blkop -d "$DEV" read:2093056:4K:5
check "discard and zeroing do not grow it" blkop "$DEV" discard:0:2M zeroout:0:2M fsync
check_equal "size" $((3 << 20)) "$(stat -c %s disk.img)"
make_image ref.img 4M
check "before the window" cmp -n 1M ref.img disk.img
