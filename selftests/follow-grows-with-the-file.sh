#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# Claim: a device attached with the flag follow grows by itself when its file does,
# within the size limit, and is grown when the next program opens it; it never
# shrinks by itself, a refused growth harms nobody, and detach frees the file.
# Broken: the guide's "truncate -s +10G; resize2fs" does nothing.
. "$(dirname "$0")/lib/dimgblk.sh"

FOLLOW=16

# attach_follow FILE [ATTR]...: sets DEV.
attach_follow()
{
	local out file=$1
	shift
	out=$(nl-send attach backing-fd=9 flags=$FOLLOW "$@" 9<>"$file") || die "attach: $out"
	DEV=/dev/dimgblk$(field index "$out")
	defer forget_device "$DEV" "$(field diskseq "$out")"
	check_equal "the flag is told" $FOLLOW "$(field flags "$out")"
	check_equal "in sysfs too" 1 "$(sysfs "$DEV" dimgblk/follow)"
	wait_for 10 test -b "$DEV"
}

# sectors: as sysfs has it, which opens nothing.
sectors() { sysfs "$DEV" size; }
has_sectors() { [ "$(sectors)" = "$1" ]; }
bytes() { blockdev --getsize64 "$DEV"; }

scratch_fs xfs
image=$MNT/disk.img

truncate -s 16M "$image"
make_fs ext4 "$image"
attach_follow "$image" size-limit=$((64 << 20))
mkdir upper
mount "$DEV" upper
defer release_mount "$TMP/upper"
udevadm monitor --kernel --subsystem-match=block >events &
monitor=$!
defer stop $monitor
wait_for 10 grep -q 'will print' events
truncate -s +16M "$image"
check "grows by itself" wait_for 10 has_sectors $((32 << 11))
check "and says so" wait_for 10 grep -q "change.*${DEV#/dev/}" events
truncate -s +8M "$image"
check "resize2fs that follows at once sees the growth" resize2fs "$DEV"
check "and uses it" test "$(df --output=size -B1M upper | tail -1)" -gt 30
check_equal "as the device has it" $((40 << 20)) "$(bytes)"
truncate -s -8M "$image"
check_equal "never smaller by itself" $((40 << 20)) "$(bytes)"
truncate -s 100M "$image"
check "the size limit holds" wait_for 10 has_sectors $((64 << 11))
head -c 1M /dev/zero >>"$image"
check_equal "also against appended data" $((64 << 20)) "$(bytes)"
umount upper
check "detach" dimgsetup detach "$DEV"
check "the inode is free" umount "$MNT"
mount "$DISK" "$MNT"

# Of two that share a file the first cannot grow into the second.
rm -f "$image"
make_image "$image" 8M
attach_follow "$image" size-limit=$((6 << 20))
detach "$DEV"
truncate -s 4M "$image"
attach_follow "$image"
first=$DEV
truncate -s 4M "$image.2"
dmesg_mark
attach_follow "$image.2" offset=$((1 << 20))
detach "$DEV"
out=$(nl-send attach backing-fd=9 flags=$((FOLLOW | 8)) offset=$((2 << 20)) 9<>"$image") ||
	die "attach: $out"
second=/dev/dimgblk$(field index "$out")
defer forget_device "$second" "$(field diskseq "$out")"
truncate -s 5M "$image"
check "the one that may overlap grows" \
	wait_for 10 sh -c "[ \$(cat /sys/block/${second#/dev/}/size) = $((3 << 11)) ]"
check_equal "the other does not" $((4 << 20)) "$(blockdev --getsize64 "$first")"
check_match "and the log says why" "cannot follow.*uses bytes" "$(dmesg_since_mark)"
detach "$second"
check_equal "it does when the way is free" $((5 << 20)) "$(blockdev --getsize64 "$first")"
detach "$first"

# A block device that grows: seen at the next open.
truncate -s 8M below.img
attach below.img
below=$DEV
attach_follow "$below"
truncate -s 12M below.img
dimgsetup resize "$below" >/dev/null
check_equal "a block device below is looked at when opened" $((12 << 20)) "$(bytes)"
detach "$DEV"
detach "$below"
check "the module can go at once" rmmod dimgblk
