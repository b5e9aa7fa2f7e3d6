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
[ -z "$(losetup -n --raw -l 2>/dev/null)" ] || skip "loop devices are in use"

make_image l.img 4M
cp l.img d.img
mkdir losetup dimg-losetup
mv l.img losetup/disk.img
mv d.img dimg-losetup/disk.img

# said DIRECTORY PROGRAM NODE WORD...: exit status and output, without what differs
# by nature: names, inodes, widths of columns. @ is the name of the nodes.
said()
{
	local status=0 dir=$1 node=$3
	local -a words=("${@:4}")
	(cd "$dir" && "$2" "${words[@]//@/$node}") >out 2>err || status=$?
	echo "exit status $status"
	sed -E "s,$node([0-9]+),/dev/X\\1,g; s,/$dir/,/D/,; s,\]:[0-9]*,]:I,; s/  */ /g; s/ $//" out
}

in_both()
{
	local stock
	stock=$(said losetup losetup /dev/loop "$@")
	check_equal "the same: $*" "$stock" "$(said dimg-losetup dimg-losetup /dev/dimgblk "$@")"
	[[ $stock == *" 0"* ]] || check_match "a cause: $*" '^dimg-losetup: .{10,}' "$(cat err)"
}

in_both
in_both -f
in_both -f --show disk.img
in_both
in_both -a
in_both -J
in_both --raw
in_both -n -O NAME,OFFSET,RO,LOG-SEC,BACK-FILE
in_both @0
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
in_both -D
wait_for 10 sh -c '! losetup /dev/loop7' || die "losetup -D"
in_both -f --show -P -b 4096 -r disk.img
in_both -O NAME,PARTSCAN,RO,LOG-SEC
in_both -f --show -L -P -b 4096 -r disk.img
in_both -D
wait_for 10 sh -c '! losetup -n -l | grep -q .' || die "losetup -D"

# failures
in_both -f nosuch
in_both -d @6
in_both -c @6
in_both @9
in_both -f disk.img more
in_both -J --raw
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
refused 1 'descriptor 9' dimg-losetup -d "$DEV"
exec 9<&-
check "off" dimg-losetup --direct-io=off "$DEV"
check_equal "off: told" 0 "$(dimg-losetup -n --raw -O DIO)"
check "detached" dimg-losetup -d "$DEV"
check "--remove has nothing to do" dimg-losetup --remove "$DEV"
check_match "help" 'losetup' "$(dimg-losetup --help)"
check_match "version" '^dimg-losetup ' "$(dimg-losetup -V)"
