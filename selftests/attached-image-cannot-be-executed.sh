#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a writably attached image counts as open for writing: exec says ETXTBSY,
# and a running program cannot be attached for writing (L5).
# Broken: the text of a running program changes under it.
. "$(dirname "$0")/lib/dimgblk.sh"

cp "$(command -v sleep)" prog
truncate -s 1M prog
mkdir -p exec
mount -t tmpfs -o exec dimgblk-exec exec
defer release_mount "$TMP/exec"
cp prog exec/prog
chmod +x exec/prog
attach exec/prog
check_match "exec is refused" 'busy' "$(exec/prog 0 2>&1 || true)"
detach "$DEV"
check "after detach it runs" exec/prog 0

exec/prog 60 &
pid=$!
defer stop $pid
running()
{
	[ "$(readlink "/proc/$pid/exe")" = "$TMP/exec/prog" ]
}
wait_for 10 running
refused 4 'busy|execut|running' dimgsetup attach exec/prog
attach -r exec/prog
check "read-only is fine" cmp exec/prog "$DEV"
detach "$DEV"
stop $pid
