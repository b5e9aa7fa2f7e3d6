#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
# Claim: compact digs no holes in what somebody uses who is in no list of users, such as an
# NVMe target of the kernel, whether that has the disk or a partition of it.
# Broken: a hole where a machine on the network has just written.
. "$(dirname "$0")/lib/dimgblk.sh"

# Kernels of ours have no target; to the tool, an open of a module is the same.
if modprobe -q nvmet; then
	if ! mountpoint -q /sys/kernel/config; then
		mount -t configfs configfs /sys/kernel/config
		defer release_mount /sys/kernel/config
	fi
	SUBSYSTEM=/sys/kernel/config/nvmet/subsystems/dimgblk-test
	NAMESPACE=$SUBSYSTEM/namespaces/1
	mkdir "$SUBSYSTEM"
	defer rmdir "$SUBSYSTEM"
	mkdir "$NAMESPACE"
	defer rmdir "$NAMESPACE"
	withdraw() { echo 0 >"$NAMESPACE/enable"; }
	give()
	{
		printf %s "$1" >"$NAMESPACE/device_path"
		echo 1 >"$NAMESPACE/enable"
	}
else
	[ -e "$SELFTESTS/modules/hold.ko" ] || skip "neither nvmet nor modules/hold.ko"
	withdraw() { [ ! -d /sys/module/hold ] || rmmod hold; }
	give() { insmod "$SELFTESTS/modules/hold.ko" path="$1"; }
fi

# offer NODE: to machines on the network
offer()
{
	give "$1"
	defer withdraw
}

allocated() { echo $(($(stat -c %b "$1") * 512)); }

# as_before TEXT FILE BYTES
as_before() { check_equal "$1: no hole" "$3" "$(allocated "$2")"; }

# padded FILE: 1M of data, 3M of zeros; in a tmpfs they are allocated, too
padded()
{
	make_image "$1" 4M
	dd if=/dev/zero of="$1" bs=1M seek=1 count=3 conv=notrunc status=none
}

padded disk.img
bytes=$(allocated disk.img)
attach disk.img
offer "$DEV"
refused 3 'in use; it was left as it is' dimgsetup compact "$DEV"
check_match "that it is the kernel is told" 'in no list.*nvmet' "$(cat "$TMP/.stderr")"
as_before "the disk" disk.img "$bytes"
refused 3 'in use; it was left as it is' dimgsetup compact --dry-run "$DEV"
withdraw
check "when it is withdrawn, it is done" dimgsetup compact "$DEV"
check "3M are free" [ "$(allocated disk.img)" -le $((bytes - (3 << 20))) ]
detach "$DEV"

truncate -s 64M parts.img
sfdisk -q parts.img <<<$'label: gpt\nsize=32M\nsize=16M\n' >/dev/null
attach -P parts.img
dd if=/dev/zero of="${DEV}p2" bs=1M count=4 conv=notrunc,fsync status=none
make_fs ext4 "${DEV}p1" -E nodiscard
bytes=$(allocated parts.img)
offer "${DEV}p2"
refused 3 'p2: in use; it was left as it is' dimgsetup compact "$DEV"
as_before "a partition" parts.img "$bytes"
# Neither of these has opened anything, and anybody can do the like.
mkdir -p named
# shellcheck disable=SC2016
unshare -m --propagation private sh -c 'mount -t tmpfs "$1" named && exec perl -e "
	sysopen F, \$ARGV[0], 010000000 or die;
	sleep 600;" "$1"' sh "${DEV}p1" &
named=$!
defer stop $named
check "somebody names the other partition" wait_for 10 sh -c "
	grep -q '${DEV}p1' /proc/$named/mountinfo &&
	[ -n \"\$(find /proc/$named/fd -lname '${DEV}p1')\" ]"
refused 3 'p2: in use; it was left as it is' dimgsetup compact "$DEV"
as_before "beside names only" parts.img "$bytes"
stop $named
# Told of twice, as a loop device and as a descriptor that who made it has kept: one open.
modprobe -q loop && udevadm settle
loop=$(losetup -f)
perl -e '
	open(P, "+<", $ARGV[0]) && open(L, "+<", $ARGV[1]) && ioctl(L, 0x4c00, fileno(P) + 0)
		or die "$ARGV[1]: $!";
	close L;
	sleep 600' "${DEV}p1" "$loop" &
kept=$!
defer stop $kept
defer sh -c "! losetup '$loop' 2>/dev/null || losetup -d '$loop'"
check "a loop device, and a descriptor" wait_for 10 losetup "$loop"
refused 3 'p2: in use; it was left as it is' dimgsetup compact "$DEV"
as_before "beside a loop device" parts.img "$bytes"
losetup -d "$loop"
stop $kept
check "it is detached" wait_for 10 sh -c "! losetup '$loop' 2>/dev/null"
mount_at "${DEV}p1" "$TMP/upper"
# told of three times, it has opened its partition once
mkdir second
mount --bind "$TMP/upper" second
defer release_mount "$TMP/second"
unshare -m --propagation private sleep 600 &
elsewhere=$!
defer stop $elsewhere
check "it has a mount namespace" wait_for 10 \
	sh -c "[ \"\$(readlink /proc/$elsewhere/ns/mnt)\" != \"\$(readlink /proc/$$/ns/mnt)\" ]"
sync
bytes=$(allocated parts.img)
check "beside one that is mounted" dimgsetup compact --dry-run "$DEV"
dimgsetup compact "$DEV" >/dev/null 2>err
check_match "beside one that is mounted: it is left" 'p2: in use; it was left as it is' "$(cat err)"
withdraw
bytes=$(allocated parts.img)
dimgsetup compact "$DEV" >/dev/null 2>err
check_equal "withdrawn: nothing is left out" "" "$(grep 'left as it is' err || true)"
check "its 4M are free" [ "$(allocated parts.img)" -le $((bytes - (4 << 20))) ]
stop $elsewhere
umount second
umount "$TMP/upper"
detach "$DEV"
