#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: links in /dev/disk and lsblk's columns are there when attach returns, for
# ordinary users too, follow mkfs, e2label and sfdisk by themselves, and are gone
# when detach returns (features.md pain 31); those of other disks are left alone.
# Broken: fstab entries by UUID do not mount; a link leads to the next device; a
# backup is mounted in place of its original.
. "$(dirname "$0")/lib/dimgblk.sh"

[ -e /run/udev/control ] || skip "no udevd runs"
requires_command sfdisk e2label lsblk udevadm setpriv

# leads WHERE NODE: the link is there and is the node's.
leads()
{
	[ "$(readlink -f "/dev/disk/$1")" = "$2" ]
}

# links_left NODE: all links in /dev/disk that lead to it or to a partition.
links_left()
{
	local l
	for l in /dev/disk/*/*; do
		[[ ! -L $l || $(readlink -f "$l") != "$1"* ]] || echo "$l"
	done
}

# What an ordinary user sees of a node, as KEY="VALUE" pairs.
as_user()
{
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}

columns()
{
	as_user lsblk -dnPo NAME,FSTYPE,LABEL,UUID,PARTTYPE,PARTUUID,PTTYPE "$1"
}

property()
{
	udevadm info -q property -n "$1" | sed -n "s/^$2=//p"
}

uuid=2b8f0c1e-6e4c-4e5b-9d55-0123456789ab
truncate -s 16M disk.img
mkfs.ext4 -q -F -U $uuid -L 'first one' disk.img
attach --name care+1:a.b disk.img
seq=$(sysfs "$DEV" diskseq)
for link in by-uuid/$uuid 'by-label/first\x20one' by-dimg-name/care+1:a.b \
	"by-diskseq/$seq"; do
	check "at attach: $link" leads "$link" "$DEV"
done
check_match "lsblk, ordinary user" \
	"FSTYPE=\"ext4\" LABEL=\"first one\" UUID=\"$uuid\"" "$(columns "$DEV")"
check_equal "desktops do not mount it" 0 "$(property "$DEV" UDISKS_AUTO)"
check_equal "but may show it" "" "$(property "$DEV" UDISKS_IGNORE)"
check_equal "its name is a property" care+1:a.b "$(property "$DEV" ID_DIMG_NAME)"
check_equal "nothing tells the backing file or its inode" "" \
	"$(udevadm info -q all -n "$DEV" | grep -Ei 'disk\.img|inode|backing' || true)"

e2label "$DEV" second
check "after e2label: the new link" wait_for 20 leads by-label/second "$DEV"
check "the old one is gone" [ ! -L '/dev/disk/by-label/first\x20one' ]
wipefs -aq "$DEV"
check "after wipefs: no link by UUID" wait_for 20 [ ! -L /dev/disk/by-uuid/$uuid ]
mkfs.ext4 -q -U $uuid "$DEV"
check "after mkfs: it is back" wait_for 20 leads by-uuid/$uuid "$DEV"
# the events that follow a writer are udev's own: let them end
udevadm settle
detach "$DEV"
check_equal "after detach: no link is left" "" "$(links_left "$DEV")"
check_equal "and no entry of udev" "" "$(grep -l DIMG /run/udev/data/* || true)"

# A disk and its image: the disk keeps its link.
scratch_disk 1
dd if=disk.img of="$DISK" bs=1M status=none
# while udev still looks at what wipefs left it does not see that dd has written
udevadm trigger --settle "/sys/class/block/${DISK#/dev/}"
check "a disk has a link" wait_for 20 leads by-uuid/$uuid "$DISK"
udevadm settle
attach --name copy disk.img
check "its image is attached" leads by-dimg-name/copy "$DEV"
check "the link is the disk's still" leads by-uuid/$uuid "$DISK"
wipefs -aq "$DISK"
check "without the disk it is the image's" wait_for 20 leads by-uuid/$uuid "$DEV"
udevadm settle
detach copy

attach -P --name tbl disk.img
sfdisk -q "$DEV" <<<"label: gpt
size=4M, name=boot, uuid=$uuid
size=4M"
check "after sfdisk: by-partuuid" wait_for 20 leads by-partuuid/$uuid "${DEV}p1"
check "by-partlabel" wait_for 20 leads by-partlabel/boot "${DEV}p1"
check "by-dimg-name, second partition" wait_for 20 leads by-dimg-name/tbl-part2 "${DEV}p2"
check "by-diskseq" leads "by-diskseq/$(sysfs "$DEV" diskseq)-part1" "${DEV}p1"
udevadm settle
mkfs.ext4 -q -L inside "${DEV}p2"
check "mkfs on a partition" wait_for 20 leads by-label/inside "${DEV}p2"
check_match "lsblk knows partitions" \
	"PARTTYPE=\"0fc63daf-8483-4772-8e79-3d69d8477de4\" PARTUUID=\"$uuid\" PTTYPE=\"gpt\"" \
	"$(columns "${DEV}p1")"
udevadm settle
detach tbl
check_equal "after detach: no link is left" "" "$(links_left "$DEV")"

attach -P --name tbl disk.img
check "at attach: partitions' links" leads by-partuuid/$uuid "${DEV}p1"
check "and what is in them" leads by-label/inside "${DEV}p2"
check "the next device takes the name over" leads by-dimg-name/tbl "$DEV"
check_match "lsblk knows the file system" 'FSTYPE="ext4" LABEL="inside"' \
	"$(columns "${DEV}p2")"
if udevadm verify --help >/dev/null 2>&1; then
	check "udevadm verify" udevadm verify /usr/lib/udev/rules.d/61-dimgblk.rules
fi
detach "$DEV"
