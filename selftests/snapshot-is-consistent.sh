#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 700M
# timeout: 120
# requires-cpus: 2
# Claim: snapshot copies an image while its file system is written to, by reference
# on btrfs and xfs and byte by byte elsewhere; the copy is clean without a repair and
# has what was there.
# Broken: a backup that needs fsck, or has half of a file.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

# Many small files, made and removed, until there is a file "stop".
write_wildly()
{
	local i=0
	until [ -e "$TMP/stop" ]; do
		i=$((i + 1))
		mkdir -p "$1/d$((i % 20))"
		head -c $((RANDOM % 20000)) /dev/zero >"$1/d$((i % 20))/f$((i % 70))"
		rm -f "$1/d$(((i + 7) % 20))/f$(((i * 3) % 70))"
	done
}

# check_copy TYPE FILE
check_copy()
{
	local options=rw
	attach --part 1 "$2"
	# xfs leaves work for the next mount on purpose, ext4 does not
	if [ "$1" = ext4 ]; then
		check "$2: e2fsck, never mounted" e2fsck -fn "$DEV"
	else
		options=nouuid
	fi
	mount_at "$DEV" "$TMP/copy" -o $options
	check_equal "$2: what was there" "$sum" "$(sha256sum <copy/before)"
	umount copy
	check "$2: fsck $1" fsck_clean "$1" "$DEV"
	detach "$DEV"
}

# snapshots LOWER UPPER SIZE
snapshots()
{
	local lower=$1 upper=$2 out writer
	rm -rf mnt stop
	modprobe -q "$lower" || skip "no $lower in this kernel"
	scratch_fs "$lower"
	truncate -s "$3" mnt/disk.img
	sfdisk -q mnt/disk.img <<<$'label: gpt\n,\n' >/dev/null
	attach -P --name snap mnt/disk.img
	make_fs "$upper" "${DEV}p1"
	mount_at "${DEV}p1" "$TMP/upper"
	dd if=/dev/urandom of=upper/before bs=1M count=2 status=none
	sum=$(sha256sum <upper/before)
	write_wildly "$TMP/upper" 2>/dev/null &
	writer=$!
	# on its way, so that there is something that could be torn
	wait_for 20 test -d upper/d5
	out=$(dimgsetup snapshot snap mnt/shared.img) || fail "snapshot -> $?"
	check_match "$lower: shared, and for how long it stood still" \
		"^mnt/shared.img: $(stat -c %s mnt/disk.img) bytes, blocks shared with the image, file systems stood still for [0-9]+ ms$" "$out"
	check "$lower: goes on" timeout 10 touch upper/probe
	[ "$lower" = btrfs ] ||
		check "a plain copy" dimgsetup snapshot --method=copy mnt/disk.img plain.img
	touch stop
	check_child "the writer was slowed down only" $writer
	check_match "$lower: blocks are shared" shared "$(filefrag -v mnt/shared.img)"
	umount upper
	detach snap
	check_copy "$upper" mnt/shared.img
	if [ -e plain.img ]; then
		check_copy "$upper" plain.img
		check "it has holes" [ "$(stat -c %b plain.img)" -lt $((32 << 11)) ]
		rm plain.img
	fi
	umount mnt
}

requires_command filefrag sfdisk
snapshots xfs ext4 64M
snapshots btrfs xfs 320M
