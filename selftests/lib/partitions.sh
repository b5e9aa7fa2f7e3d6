# SPDX-License-Identifier: GPL-2.0
# Whether everybody tells the same about the partitions of a disk: its table as
# libfdisk reads it, sysfs, the nodes in /dev, udev's database. Sourced after
# dimgblk.sh.
# shellcheck shell=bash

# partitions_in_table DEV: "N START SIZE" in units of 512 bytes, sorted. Linux
# shows two sectors of an extended partition (one, if they are that large).
partitions_in_table()
{
	sfdisk --dump "$1" 2>/dev/null | sed 's/\([=:,]\)/ \1 /g' | awk -v dev="$1" '
		$1 == "sector-size" { unit = $3 / 512 }
		index($1, dev "p") == 1 {
			nr = substr($1, length(dev) + 2)
			for (i = 2; i < NF; i++)
				if ($(i + 1) == "=")
					val[$i] = $(i + 2)
			extended = val["type"] ~ /^(5|f|85)$/
			print nr, val["start"] * unit, extended ? 2 : val["size"] * unit
		}' | sort -n
}

partitions_in_sysfs()
{
	local dir nr start size
	for dir in "/sys/block/${1#/dev/}/${1#/dev/}"p*; do
		[ -d "$dir" ] || continue
		# read: programs are slow to start in an emulated guest
		read -r nr <"$dir/partition"
		read -r start <"$dir/start"
		read -r size <"$dir/size"
		echo "$nr $start $size"
	done | sort -n
}

# Numbers only.
partition_nodes()
{
	local node
	for node in "$1"p*; do
		[ ! -b "$node" ] || echo "${node#"$1p"}"
	done | sort -n
}

# Numbers of those that udev has handled. What it remembers of a device that is
# gone comes out as "stale".
partitions_in_udev()
{
	local dir number nr
	for dir in "/sys/block/${1#/dev/}/${1#/dev/}"p*; do
		[ -d "$dir" ] || continue
		read -r number <"$dir/dev"
		read -r nr <"$dir/partition"
		[ ! -e "/run/udev/data/b$number" ] || echo "$nr"
	done | sort -n
	for dir in /run/udev/data/b259:*; do
		number=${dir##*/b}
		[ -e "/sys/dev/block/$number" ] || echo "stale $number"
	done
}

# partitions_agree DEV NUMBERS: the partitions are NUMBERS ("1 2 5"), with start and
# size as in the table; nodes are there without waiting, udev follows.
partitions_agree()
{
	local dev=$1 want table
	want=$(tr ' ' '\n' <<<"$2")
	table=$(partitions_in_table "$dev")
	differs "nodes" "$want" "$(partition_nodes "$dev")" || return 1
	differs "table" "$want" "$(cut -d' ' -f1 <<<"$table")" || return 1
	differs "sysfs" "$table" "$(partitions_in_sysfs "$dev")" || return 1
	[ -e /run/udev/control ] || return 0
	udevadm settle
	differs "udev" "$want" "$(partitions_in_udev "$dev")" || return 1
	differs "nodes after udev" "$want" "$(partition_nodes "$dev")"
}

# Fails, and says so, if the two differ.
differs()
{
	[ "$2" != "$3" ] || return 0
	printf '%s: wanted:\n%s\ngot:\n%s\n' "$1" "$2" "$3" >&2
	return 1
}
