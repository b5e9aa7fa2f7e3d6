#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: dimg-losetup takes the options of losetup: the same calls with both print
# the same and end with the same status, but for the names of the devices; what
# cannot be had says so with the command to use.
# Broken: a script that was moved over by a rename sees something else.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command losetup dimg-losetup
modprobe loop || skip "no loop in this kernel"
defer sh -c 'losetup -D'
! losetup -n --raw -l 2>/dev/null | grep -q . || skip "loop devices are in use"

# What differs by nature: names, numbers of disks, widths of columns.
neutral()
{
	sed -E 's,/dev/(loop|dimgblk)([0-9]+),/dev/X\2,g; s/  */ /g; s/ +$//' | tr -d '\n\t '
}

make_image l.img 4M
cp l.img d.img
mkdir losetup dimg-losetup
mv l.img losetup/disk.img
mv d.img dimg-losetup/disk.img

# in_both WORD...: losetup and dimg-losetup, each with an image of its own; @ is the
# name of the nodes without the number.
in_both()
{
	local l=0 d=0 words=("${@//@//dev/loop}")
	(cd losetup && losetup "${words[@]}") >l.out 2>l.err || l=$?
	words=("${@//@//dev/dimgblk}")
	(cd dimg-losetup && dimg-losetup "${words[@]}") >d.out 2>d.err || d=$?
	sed -i 's,/losetup/,/D/,; s,\]:[0-9]*,]:I,' l.out
	sed -i 's,/dimg-losetup/,/D/,; s,\]:[0-9]*,]:I,' d.out
	check_equal "exit status: $*" $l $d
	check_equal "output: $*" "$(neutral <l.out)" "$(neutral <d.out)"
	[ $d = 0 ] || check_match "a cause: $*" '^dimg-losetup: .{10,}' "$(cat d.err)"
	udevadm settle
}

in_both
in_both -a
in_both -J
in_both -f
in_both -f --show disk.img
in_both
in_both -a
in_both -l
in_both -J
in_both -n -l
in_both --raw
in_both -O NAME,OFFSET,RO,LOG-SEC,BACK-FILE
in_both @0
in_both -l @0
in_both -j disk.img
in_both -j disk.img -o 512
in_both -j nosuch
in_both -f
truncate -s 6M losetup/disk.img dimg-losetup/disk.img
in_both -c @0
check_equal "grown" $((6 << 20)) "$(blockdev --getsize64 /dev/dimgblk0)"
in_both -d @0
check "the stock one is gone" wait_for 10 sh -c '! losetup /dev/loop0'
in_both -r -o 1M --sizelimit 2M @7 disk.img
in_both @7
in_both -l -J @7
in_both -D
wait_for 10 sh -c '! losetup /dev/loop7' || die "losetup -D"
in_both -f --show -P -b 4096 -r disk.img
in_both -O NAME,PARTSCAN,RO,LOG-SEC
in_both -f --show -L -P -r disk.img
in_both -D
wait_for 10 sh -c '! losetup -n -l | grep -q .' || die "losetup -D"

# failures
in_both -f nosuch
in_both -d @6
in_both -c @6
in_both @9
in_both -f disk.img more
in_both -J --raw
in_both -r
in_both --show -f
in_both -o 5 @0
in_both -a --nonsense

# what differs, and says so
DEV=$(dimg-losetup --show --loop-ref scratch -f dimg-losetup/disk.img)
defer sh -c "dimg-losetup -D"
check "--loop-ref is the name" dimgsetup list scratch
refused 1 'attach -b' dimg-losetup -b 4096 "$DEV"
refused 1 'overlap|dimgblk0' dimg-losetup -f dimg-losetup/disk.img
refused 1 'Detach it with -d' dimg-losetup --remove "$DEV"
check_equal "-L finds it" "$DEV" "$(dimg-losetup -L --show -f dimg-losetup/disk.img)"
exec 9<"$DEV"
refused 1 'bash' dimg-losetup -d "$DEV"
exec 9<&-
check "off" dimg-losetup --direct-io=off "$DEV"
check_equal "off: told" 0 "$(dimg-losetup -n --raw -O DIO)"
check "detached" dimg-losetup -d "$DEV"
check "--remove has nothing to do" dimg-losetup --remove "$DEV"
check_match "help" 'losetup' "$(dimg-losetup --help)"
check_match "version" '^dimg-losetup ' "$(dimg-losetup -V)"
