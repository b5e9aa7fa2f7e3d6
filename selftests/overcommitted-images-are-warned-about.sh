#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a writable attach of a sparse image that can outgrow the free space of its
# file system warns once, with both figures; full, small and read-only ones do not.
# Broken: ENOSPC as a surprise, or a warning that is always there.
. "$(dirname "$0")/lib/dimgblk.sh"

warning() { { dimgsetup attach "$@" >/dev/null; } 2>&1; }

mkdir small
mount -t tmpfs -o size=32M small small
defer release_mount "$TMP/small"
truncate -s 1G small/sparse.img
truncate -s 8M small/fits.img
check_match "told with figures" 'warning: .* grow by 1(\.0)?G, .* has [0-9.]+M free' "$(warning small/sparse.img)"
detach small/sparse.img
check_equal "read-only: no word" "" "$(warning -r small/sparse.img)"
detach small/sparse.img
check_equal "what fits: no word" "" "$(warning small/fits.img)"
detach small/fits.img
# an allocated one needs no more space, however full the file system is
make_image small/full.img 20M
head -c 12M /dev/zero >small/rest 2>/dev/null || true
check_equal "full: no word" "" "$(warning small/full.img)"
detach small/full.img
