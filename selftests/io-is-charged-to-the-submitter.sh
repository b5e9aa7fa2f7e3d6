#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: what a cgroup reads and writes through a device is charged to it at the
# disk below, not to the root group (J1).
# Broken: containers escape io.max by using a disk image.
. "$(dirname "$0")/lib/dimgblk.sh"

mkdir cgroup
mount -t cgroup2 none cgroup 2>/dev/null || skip "no cgroup2"
defer release_mount "$TMP/cgroup"
grep -qw io cgroup/cgroup.controllers || skip "no io controller"
grep -qw io cgroup/cgroup.subtree_control || {
	echo +io >cgroup/cgroup.subtree_control
	defer sh -c "echo -io >'$TMP/cgroup/cgroup.subtree_control'"
}
mkdir cgroup/dimgblk-test
defer rmdir "$TMP/cgroup/dimgblk-test"
scratch_fs ext4
make_image "$MNT/disk.img" 8M
sync
attach --direct-io=on "$MNT/disk.img"

# shellcheck disable=SC2016
sh -c 'echo $$ >cgroup/dimgblk-test/cgroup.procs && exec blkop -d "$1" write:0:2M:2 read:4M:2M:1' \
	- "$DEV"
lower=$(lsblk -ndo MAJ:MIN "$DISK" | tr -d ' ')
stat=$(grep "^$lower " cgroup/dimgblk-test/io.stat || true)
note "$stat"
wrote=$(sed -n 's/.*wbytes=\([0-9]*\).*/\1/p' <<<"$stat")
read=$(sed -n 's/.*rbytes=\([0-9]*\).*/\1/p' <<<"$stat")
check "2 MiB written are charged" test "${wrote:-0}" -ge $((2 << 20))
check "2 MiB read are charged" test "${read:-0}" -ge $((2 << 20))
