# SPDX-License-Identifier: GPL-2.0
# A disk by way of device mapper: it can stop answering, fail, and be well again. Owns
# its table and its name. Sourced after dimgblk.sh.
# shellcheck shell=bash
# MNT and MAPPED are results, used by the scripts:
# shellcheck disable=SC2034

MAPPED=/dev/mapper/dimgblk-mapped

# map_disk DEVICE: MAPPED is that device now, until unmap_disk or the end of the script.
map_disk()
{
	requires_command dmsetup
	modprobe dm-mod || skip "no device mapper"
	MAPPED_DEVICE=$1
	mapped_table "linear $1 0" | dmsetup create "${MAPPED##*/}"
	defer unmap_disk
}

unmap_disk()
{
	! [ -e "$MAPPED" ] || dmsetup remove --retry "$MAPPED"
}

# mapped_fs TYPE: MNT becomes a file system on the first scratch disk, mapped.
mapped_fs()
{
	scratch_disk 1
	map_disk "$DISK"
	make_fs "$1" "$MAPPED"
	mount_at "$MAPPED" "$TMP/mnt"
	MNT=$TMP/mnt
}

# mapped_table TARGET: one line of a table, all of the device.
mapped_table()
{
	echo "0 $(blockdev --getsz "$MAPPED_DEVICE") $1"
}

mapped_swap_table()
{
	dmsetup suspend --nolockfs --noflush "$MAPPED"
	mapped_table "$1" | dmsetup load "$MAPPED"
	dmsetup resume "$MAPPED"
}

# mapped_disk_hangs: no request ends until mapped_disk_answers; at the end of the script
# it does that before all that was set up so far is undone.
mapped_disk_hangs()
{
	defer mapped_disk_answers
	dmsetup suspend --nolockfs "$MAPPED"
}

mapped_disk_answers()
{
	dmsetup resume "$MAPPED"
}

# mapped_disk_fails: every request ends with EIO until mapped_disk_is_well.
mapped_disk_fails()
{
	mapped_swap_table error
}

mapped_disk_is_well()
{
	mapped_swap_table "linear $MAPPED_DEVICE 0"
}
