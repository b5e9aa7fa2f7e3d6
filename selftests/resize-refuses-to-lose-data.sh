#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 90
# Claim: resize makes nothing smaller without --shrink, and nothing smaller than
# the file system or the last partition, and cuts off nothing that the device does
# not show; nothing larger if its partitions were lost thereby; --dry-run and refusals
# change no byte.
# Broken: the end of a file system is cut off, or a GPT is not where it is looked for.
. "$(dirname "$0")/lib/dimgblk.sh"
requires_command sgdisk fdisk tune2fs

# Any write would change a time of these; hashing would take minutes in a VM.
state() { stat -c '%s bytes, %b blocks, %y, %z' disk.img; }

# keeps COMMAND...: whatever it does, disk.img stays as it is
keeps() {
	local before
	before=$(state)
	"$@"
	check_equal "disk.img is untouched" "$before" "$(state)"
	[ -n "${ATTACHED:-}" ] || wait_for 10 nothing_attached || fail "something is attached"
}

# steps ARGUMENT...: a dry run prints steps
steps() {
	local out
	out=$(dimgsetup resize --dry-run "$@") || fail "dry run: $*"
	check_match "dry run: $*" '-> [0-9]+ bytes' "$out"
}

create() { dimgsetup create --force disk.img "$@"; }

# the whole image is the file system
for type in ext4 xfs btrfs; do
	modprobe -q $type || continue
	create 320M --mkfs=$type
	keeps refused 4 'would shrink' dimgsetup resize disk.img 300M
	keeps refused 4 'would shrink' dimgsetup resize --all disk.img -20M
	keeps refused 4 "$type reaches to byte" dimgsetup resize --shrink disk.img 300M
	keeps steps disk.img 400M
	keeps steps --all disk.img +80M
	# what lies behind the file system may go
	truncate -s 340M disk.img
	check "$type: room that is not used" dimgsetup resize --shrink disk.img 320M
	check_equal "$type: the size" $((320 << 20)) "$(stat -c %s disk.img)"
done
create 320M --mkfs=xfs
keeps refused 4 'xfs.*cannot become smaller' dimgsetup resize --shrink --all disk.img 310M

# a label is no number
create 64M --mkfs=ext4 --label="Block count: 9"
keeps refused 4 'ext4 reaches to byte' dimgsetup resize --shrink disk.img 30M
tune2fs -L $'\nBlock count: 9' disk.img >/dev/null || die tune2fs
keeps refused 4 'cannot be found out' dimgsetup resize --shrink --all disk.img 30M

# nobody knows what this is
make_image disk.img 8M
keeps refused 4 'unknown data' dimgsetup resize --shrink disk.img 4M
keeps refused 4 'unknown data' dimgsetup resize --shrink --all disk.img 4M

# partition tables
create 64M --gpt --mkfs=ext4
keeps refused 4 'backup' dimgsetup resize --shrink disk.img 63M
keeps steps --shrink --all disk.img 40M
keeps steps --all disk.img 80M
# a GPT whose entries are not where they use to be
sgdisk -j 100 disk.img >/dev/null || die "sgdisk -j"
keeps refused 4 'usual place' dimgsetup resize --shrink --all disk.img 40M
# a GPT whose first copy is void: the second one is found at the end only
create 64M --gpt
void_first() { dd if=/dev/zero of=disk.img bs=512 seek=1 count=1 conv=notrunc status=none; }
void_first
keeps refused 4 'first copy.*void' dimgsetup resize disk.img 80M
keeps refused 4 'first copy.*void' dimgsetup resize --dry-run disk.img +16M
attach disk.img
ATTACHED=1
keeps refused 4 'first copy.*void' dimgsetup resize "$DEV" 80M
truncate -s 80M disk.img
refused 4 'first copy.*void' dimgsetup resize "$DEV"
check_equal "the device has its size" $((64 << 20)) "$(blockdev --getsize64 "$DEV")"
truncate -s 64M disk.img
detach "$DEV"
ATTACHED=
check "with --all it is mended first" dimgsetup resize --all disk.img 80M
check_equal "both copies are sound" "" "$(sfdisk -d disk.img 2>&1 >/dev/null)"
void_first
check "or by sgdisk" sgdisk -e disk.img
check "then it grows" dimgsetup resize disk.img 96M
check_match "the table is found" 'disk.img1 ' "$(sfdisk -d disk.img 2>/dev/null)"
# the other way round nothing is lost
dimgsetup resize --all disk.img 96M >/dev/null
dd if=/dev/zero of=disk.img bs=512 seek=$((96 * 2048 - 1)) count=1 conv=notrunc status=none
check "its backup is void: it grows" dimgsetup resize disk.img 112M
check_match "the table is found" 'disk.img1 ' "$(sfdisk -d disk.img 2>/dev/null)"
# a GPT in sectors of 4096, which no tool tells from an MBR in a file
create 64M
printf 'g\nn\n\n\n\nw\n' | fdisk -b 4096 disk.img >/dev/null 2>&1 || die "fdisk -b 4096"
keeps refused 4 'backup' dimgsetup resize --shrink disk.img 63M
attach -P -b 512 disk.img
ATTACHED=1
keeps refused 4 'attached with 512' dimgsetup resize --all "$DEV" 80M
detach "$DEV"
ATTACHED=
# a partition that ends before the cut keeps its size
rm disk.img
truncate -s 64M disk.img
printf 'label: gpt\n,20M\n' | sfdisk -q disk.img
check "behind the last partition of a GPT" dimgsetup resize --shrink --all disk.img 40M
check_match "the table is sound" 'No errors' "$(sfdisk -V disk.img 2>&1)"
rm disk.img
truncate -s 64M disk.img
printf 'label: dos\n,20M\n,20M\n' | sfdisk -q disk.img
keeps refused 4 'last partition reaches' dimgsetup resize --shrink disk.img 40M
check "behind the last partition" dimgsetup resize --shrink disk.img 45M
# an MBR counts to 2 TiB
check_match "no number wraps in an MBR" 'partition 2: 20971520 -> 219902[0-9]{7} ' \
	"$(dimgsetup resize --all --dry-run disk.img 3T)"

# what the device does not show: behind its size limit, and another device's
create 64M
attach --sizelimit 32M disk.img
ATTACHED=1
low=$DEV
keeps refused 4 'cut off unseen' dimgsetup resize --shrink "$low" 32M
attach -o 32M disk.img
keeps refused 3 'is attached to' dimgsetup resize --shrink "$DEV" 48M
detach "$DEV"
detach "$low"
ATTACHED=

# mounted: ext4 cannot, and the command says so before it begins
create 64M --gpt --mkfs=ext4
attach -P disk.img
ATTACHED=1
mkdir upper
mount "${DEV}p1" upper
defer release_mount "$TMP/upper"
sync
refused 4 'Unmount it' dimgsetup resize --shrink --all disk.img 40M
steps --all "$DEV" 80M
check_equal "file" $((64 << 20)) "$(stat -c %s disk.img)"
check_equal "device" $((64 << 20)) "$(blockdev --getsize64 "$DEV")"
umount upper
detach "$DEV"
attach disk.img
keeps refused 4 'without -P' dimgsetup resize --all disk.img 80M
detach "$DEV"
ATTACHED=

# wrong use
keeps refused 1 'nothing' dimgsetup resize --shrink disk.img -64M
keeps refused 1 'larger than any file' dimgsetup resize disk.img +8388608T
keeps refused 1 'multiple of 512' dimgsetup resize disk.img +100
keeps refused 1 'no size' dimgsetup resize disk.img +
keeps refused 2 'not attached' dimgsetup resize disk.img
keeps refused 2 . dimgsetup resize none.img +1M
