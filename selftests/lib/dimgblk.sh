# SPDX-License-Identifier: GPL-2.0
# What the tests of dimgblk share: scratch space, images, attach and detach, and
# the two kinds of refusal (by the tool, by the kernel). Sourced first thing by
# each script; it brings KTAP and defer along and loads the module.
# shellcheck shell=bash
# MNT, DEV, DISK are results, used by the scripts:
# shellcheck disable=SC2034

SELFTESTS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PATH=$SELFTESTS/helpers:$PATH:/usr/sbin:/sbin
export PATH LC_ALL=C

. "$SELFTESTS/lib/defer.sh"
. "$SELFTESTS/lib/ktap.sh"

requires_command()
{
	local c
	for c; do
		command -v "$c" >/dev/null || skip "no $c on this machine"
	done
}

[ "$(id -u)" = 0 ] || skip "needs root"
command -v nl-send >/dev/null || die "helpers are not built: make -C selftests"
command -v dimgsetup >/dev/null || die "dimgsetup is not in PATH"
modprobe dimgblk || die "modprobe dimgblk failed, see dmesg"

# TMP: a tmpfs of our own, gone at the end together with what is in it.
TMP=$(mktemp -d /tmp/dimgblk-test.XXXXXX)
defer rmdir "$TMP"
mount -t tmpfs -o size=80% dimgblk-test "$TMP"
defer release_mount "$TMP"
cd "$TMP" || exit

# A worker of udev that is about to close its file keeps a mount busy for a moment.
release_mount()
{
	! mountpoint -q "$1" || wait_for 10 umount "$1" || umount "$1"
}

# scratch_disk N: DISK becomes the N-th scratch disk. Its contents are lost.
# TEST_DISKS names them; in the VM they are /dev/vdb, /dev/vdc, ...
scratch_disk()
{
	local -a disks
	read -ra disks <<<"${TEST_DISKS:-/dev/vdb /dev/vdc}"
	DISK=${disks[$1 - 1]:-/none}
	[ -b "$DISK" ] || skip "no scratch disk $DISK; set TEST_DISKS"
	wipefs -aq "$DISK"
}

# slow_disk: SLOW becomes scratch disk 1 behind device mapper: reads at once, writes after
# two seconds, or as many times that as the guest is slow.
slow_disk()
{
	local size
	requires_command dmsetup
	modprobe -q dm-delay || skip "no dm-delay in this kernel"
	scratch_disk 1
	size=$(blockdev --getsz "$DISK")
	dmsetup create slow --table "0 $size delay $DISK 0 0 $DISK 0 $((2000 * ${VM_PATIENCE:-1}))"
	defer dmsetup remove --retry slow
	udevadm settle
	SLOW=/dev/mapper/slow
}

# make_fs TYPE DEVICE [mkfs option]...: ext2 has neither journal nor extents,
# so it cannot reserve room.
make_fs()
{
	local type=$1 dev=$2
	shift 2
	case $type in
	# not every kernel's ext4 may be called so
	ext2) type=ext4; set -- -q -F -O ^has_journal,^extent,^64bit,^metadata_csum "$@" ;;
	ext4) set -- -q -F "$@" ;;
	xfs | btrfs) set -- -q -f "$@" ;;
	esac
	requires_command "mkfs.$type"
	"mkfs.$type" "$@" "$dev" >/dev/null
}

# scratch_fs TYPE [mkfs option]...: MNT becomes a file system on the scratch disk.
scratch_fs()
{
	scratch_disk 1
	make_fs "$1" "$DISK" "${@:2}"
	mount_at "$DISK" "$TMP/mnt"
	MNT=$TMP/mnt
}

# mount_at DEVICE DIRECTORY [option]...: until the end of the script.
mount_at()
{
	mkdir -p "$2"
	mount "${@:3}" "$1" "$2"
	defer release_mount "$2"
}

# make_image FILE SIZE [SEED]: every byte tells where it belongs.
make_image()
{
	truncate -s "$2" "$1"
	blkop "$1" "write:0:$2:${3:-1}"
}

# A command's module parameter, attribute or file in one word.
sysfs()
{
	cat "/sys/block/${1#/dev/}/$2"
}

index_of()
{
	echo "${1#/dev/dimgblk}"
}

is_attached()
{
	[ -e "/sys/block/${1#/dev/}" ]
}

is_gone()
{
	! is_attached "$1" && [ ! -e "$1" ]
}

# in_flight DEV: a request of it has not ended. The block layer does not count flushes.
in_flight()
{
	[ "$(sysfs "$1" inflight | tr -d ' ')" != 00 ]
}

# Removes whatever is left of a device, unless another one has its number now.
forget_device()
{
	[ "$(sysfs "$1" diskseq 2>/dev/null)" = "$2" ] || return 0
	nl-send detach index="$(index_of "$1")" diskseq="$2" detach-mode=2 >/dev/null
	wait_for 20 is_gone "$1"
}

# attach [option]... IMAGE: DEV becomes the node; detached at the end at latest.
attach()
{
	DEV=$(dimgsetup attach "$@") || die "dimgsetup attach $* -> $?"
	[ -b "$DEV" ] || die "dimgsetup attach $*: printed '$DEV', no block device"
	defer forget_device "$DEV" "$(sysfs "$DEV" diskseq)"
}

detach()
{
	dimgsetup detach "$@"
}

# No device, as seen by sysfs, /dev and the driver.
nothing_attached()
{
	! compgen -G '/sys/block/dimgblk*' &&
		! compgen -G '/dev/dimgblk*' &&
		[ -z "$(nl-send -d get)" ]
}

# refused STATUS PATTERN COMMAND...: the tool exits with STATUS and says on stderr
# what PATTERN matches; nothing comes on stdout.
refused()
{
	local status=0 want=$1 pattern=$2 out
	shift 2
	is_pattern "$pattern" || return 0
	out=$("$@" 2>"$TMP/.stderr") || status=$?
	if [ $status = "$want" ] && [ -z "$out" ] &&
		grep -Eiq -- "$pattern" "$TMP/.stderr"; then
		note "refused ($status): $*"
	else
		fail "refusal of: $*"
		note_text "wanted: exit $want and /$pattern/; got: exit $status"
		note_text "$(cat "$TMP/.stderr")"
		[ -z "$out" ] || note_text "stdout: $out"
	fi
}

# kernel_refuses ERRNO COMMAND...: the message is refused with that errno (a|b for
# either) and with a sentence.
kernel_refuses()
{
	local want=$1 status=0 out
	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status = 1 ] && [[ $out =~ ^($want):\ .{12,}$ ]]; then
		note "refused: $* -> $out"
	else
		fail "$* -> $status, wanted $want and a sentence"
		note_text "$out"
	fi
}

# fails_with ERRNO COMMAND...: a helper names that errno (a|b for either).
fails_with()
{
	local want=$1 status=0 out
	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status = 1 ] && [[ $out =~ ^($want)$ ]]; then
		note "$want: $*"
	else
		fail "$* -> $status, wanted $want"
		note_text "$out"
	fi
}

# stop PID: ends a child of ours and its children; they may be gone already.
stop()
{
	pkill -P "$1" || true
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
	wait_for 10 sh -c "! kill -0 $1"
}

# dmesg_since_mark: the kernel log since dmesg_mark.
dmesg_mark()
{
	# two marks of one second must not be taken for each other
	DMESG_MARKS=$((${DMESG_MARKS:-0} + 1))
	DMESG_MARK="dimgblk-test $KTAP_NAME $$ mark $DMESG_MARKS:"
	echo "$DMESG_MARK" >/dev/kmsg
}

dmesg_since_mark()
{
	dmesg | sed "1,/$DMESG_MARK/d"
}

# field KEY TEXT: the value in lines key=value of nl-send.
field()
{
	printf '%s\n' "$2" | sed -n "s/^$1=//p"
}
