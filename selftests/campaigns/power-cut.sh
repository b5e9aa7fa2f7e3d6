#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The guest's part of the power-cut campaign, vm/powercut being the host's. Needs three
# disks of vm/power/disk.c: the one that records, the one that shows what a power cut
# left, and the one that takes commands.
#
#   power-cut.sh record NAME SPEC SEED SECONDS [KILL]
#       Makes the stack of SPEC on the first disk and writes records through it, while
#       the disk keeps a log called NAME; or until the disk kills this guest, within
#       KILL milliseconds.
#   power-cut.sh check NAME SPEC SEED KIND FROM COUNT
#       Lets the second disk show COUNT states after a cut, from number FROM on, recovers
#       each as after a real one (mount, attach, mount) and compares the records. KIND:
#       moment, random, end or finish (see vm/power/control.c). At the finish a batch
#       is there that nobody flushed before the device was detached.
#
# SPEC is IO/LOWER/UPPER/IMAGE: buffered or direct; raw, ext4 or xfs under the image;
# raw, ext4 or xfs on the device; sparse or whole. With a sparse image or an upper file
# system the writer makes holes, too. Prints a line for each state: "state NAME KIND K ok",
# or "BAD", or "none" when the log has no such moment.
set -eEu -o pipefail
trap 'echo "power-cut.sh: line $LINENO: $BASH_COMMAND" >&2' ERR

here=$(cd "$(dirname "$0")/.." && pwd)
PATH=$here/helpers:$PATH:/usr/sbin:/sbin
read -r disk crash control <<<"${POWER_DISKS:-/dev/vdb /dev/vdc /dev/vdd}"
# Bytes of each of the three writers, and of the image.
area=512K
image_size=40M

command=$1 name=$2 spec=$3 seed=$4
IFS=/ read -r io lower upper kind <<<"$spec"
case $io in
direct) direct=on ;;
*) direct=off ;;
esac
holes=-z
[ "$upper/$kind" != raw/whole ] || holes=
if [ "$lower" = raw ] && [ "$upper" = raw ]; then
	holes=
fi
modprobe dimgblk
mkdir -p /tmp/power/lower /tmp/power/upper
cd /tmp/power

tell()
{
	records tell "$control" "$@"
}

# make_fs TYPE DEVICE: without discard, so that free space keeps foreign bytes.
make_fs()
{
	case $1 in
	ext4) mkfs.ext4 -q -F -E nodiscard,lazy_itable_init=0,lazy_journal_init=0 "$2" ;;
	xfs) mkfs.xfs -q -f -K --unsupported "$2" ;;
	esac
}

mount_fs()
{
	case $1 in
	ext4) mount -t ext4 "$2" "$3" ;;
	xfs) mount -t xfs -o nouuid "$2" "$3" ;;
	esac
}

fsck_fs()
{
	case $1 in
	ext4) e2fsck -fn "$2" ;;
	xfs) xfs_repair -n "$2" ;;
	esac >fsck.out 2>&1 || { cat fsck.out >&2; return 1; }
}

# bring_up DISK: mounts and attaches what is there; sets dev and targets.
bring_up()
{
	image=$1
	if [ "$lower" != raw ]; then
		mount_fs "$lower" "$1" lower || return
		image=lower/disk.img
	fi
	[ "${2:-}" != new ] || make_image || return
	dev=$(dimgsetup attach --direct-io=$direct "$image") || return
	targets=("$dev:0" "$dev:512K" "$dev:1M")
	[ "$upper" != raw ] || return 0
	if [ "${2:-}" = new ]; then
		make_fs "$upper" "$dev" || return
	fi
	mount_fs "$upper" "$dev" upper || return
	targets=(upper/0 upper/1 upper/2)
}

take_down()
{
	local status=0
	if mountpoint -q upper; then
		umount upper || status=1
	fi
	if [ -n "${dev:-}" ]; then
		[ -z "${1:-}" ] || fsck_fs "$upper" "$dev" || status=1
		dimgsetup detach "$dev" || status=1
		dev=
	fi
	if mountpoint -q lower; then
		umount lower || status=1
		[ -z "${1:-}" ] || fsck_fs "$lower" "$1" || status=1
	fi
	return $status
}

make_image()
{
	case $lower/$kind in
	raw/*) return 0 ;;
	*/whole) dd if=/dev/zero of=lower/disk.img bs=1M count="${image_size%M}" status=none ;;
	*) truncate -s $image_size lower/disk.img ;;
	esac
	sync -f lower
}

record()
{
	local seconds=$1 kill_within=${2:-} batches

	tell wipe >/dev/null
	blockdev --flushbufs "$disk"
	[ "$lower" = raw ] || make_fs "$lower" "$disk"
	if [ "$lower/$upper" = raw/raw ]; then
		# What the records begin with.
		blkdiscard -z -l 2M "$disk"
	fi
	bring_up "$disk" new
	if [ "$upper" != raw ]; then
		records make upper $area
	fi
	sync
	tell begin "$name" "$kill_within" >/dev/null
	if [ -z "$holes" ]; then
		records map "$control" "$image"
	fi
	batches=$(records write $holes -s "$seconds" "$control" "$seed" $area "${targets[@]}")
	echo "batches $name $batches"
	detach_flushes "${batches%% *}"
}

# detach_flushes BATCH: one more of thread 0 that nobody flushes. When umount and detach
# have returned it must be durable all the same.
detach_flushes()
{
	local batch=$(($1 + 1))
	records leave $holes "$seed" $area $batch "${targets[0]}"
	if [ "$upper" != raw ]; then
		umount upper
	fi
	dimgsetup detach "$dev"
	dev=
	tell ack 0 $batch >/dev/null
	# Before the lower file system is unmounted, which would flush as well.
	tell end >/dev/null
	take_down
}

# check_one K: prints the verdict on one state. Return: 1 if it is bad.
check_one()
{
	local answer status=0 fsck=
	local -a acks
	answer=$(tell state "$name" "$point" "$1" "$seed")
	case $answer in
	none) echo "state $name $point $1 none"; return 0 ;;
	ok*) ;;
	*) echo "state $name $point $1: $answer"; exit 2 ;;
	esac
	read -ra acks <<<"${answer#ok}"
	blockdev --flushbufs "$crash"
	# Slow, so not each time.
	[ $(($1 % 4)) != 0 ] || fsck=$crash
	if ! bring_up "$crash"; then
		status=1
	elif ! records check $holes "${targets[@]}" -- "$seed" $area "${acks[@]}"; then
		status=1
	fi
	take_down "$fsck" || status=1
	if [ $status = 0 ]; then
		echo "state $name $point $1 ok:${answer#ok}"
	else
		echo "state $name $point $1 BAD:${answer#ok}"
	fi
	return $status
}

case $command in
record) record "${@:5}" ;;
check)
	point=$5
	bad=0
	for ((k = $6; k < $6 + $7; k++)); do
		check_one $k || bad=1
	done
	exit $bad ;;
*)
	echo "usage: power-cut.sh record|check NAME SPEC SEED ..." >&2
	exit 2 ;;
esac
