#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: without the module dimgsetup exits 6 and says how to get it.
# Broken: "No such file or directory".
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
modprobe -r dimgblk || die "cannot unload the module"
defer modprobe dimgblk
# An empty tree of modules hides ours; the mount is only this shell's children's.
mkdir empty
hide() { unshare -m sh -c "mount --bind '$TMP/empty' /lib/modules && exec \"\$@\"" - "$@"; }
refused 6 'module|modprobe' hide dimgsetup attach disk.img
status=0
hide dimgsetup list >out 2>&1 || status=$?
note "list: $status: $(cat out)"
check "list does not pretend" test $status = 0 -o $status = 6
check "no module came in" test ! -e /sys/module/dimgblk
