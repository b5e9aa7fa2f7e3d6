#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: --part makes a device of one partition, by number (logical ones too),
# name, PARTUUID, label or UUID, with just its bytes; what is ambiguous is refused
# with the candidates, what is not there is not found with a list.
# Broken: bytes of another partition, a guess, or another numbering than the kernel's.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command sfdisk mkfs.ext4
# of_part IMAGE PART START-MIB SIZE-MIB: the device is these bytes of the image.
of_part()
{
	attach --part "$2" "$1"
	check_equal "$1, part $2: offset" $(($3 << 20)) "$(sysfs "$DEV" dimgblk/offset)"
	check_equal "$1, part $2: size" $(($4 << 20)) "$(blockdev --getsize64 "$DEV")"
	check "$1, part $2: bytes" cmp -n $(($4 << 20)) -i "$(($3 << 20)):0" "$1" "$DEV"
	detach "$DEV"
}

make_image gpt.img 16M
sfdisk -q gpt.img <<-END
	label: gpt
	1: start=2048, size=4M, name=boot
	2: size=4M, name="the root", uuid=0fc63daf-8483-4772-8e79-3d69d8477de4
	7: size=2M, name=twin
	8: size=2M, name=twin
END
attach --part 1 gpt.img
mkfs.ext4 -q -L data -U 5ca1ab1e-0000-4000-8000-00000000c0de "$DEV"
detach "$DEV"
of_part gpt.img boot 1 4
of_part gpt.img data 1 4
of_part gpt.img 5CA1AB1E-0000-4000-8000-00000000c0de 1 4
of_part gpt.img "the root" 5 4
of_part gpt.img 0fc63daf-8483-4772-8e79-3d69d8477de4 5 4
of_part gpt.img 8 11 2
refused 4 'more than one' dimgsetup attach --part twin gpt.img
check_equal "both candidates are told" "7 8" \
	"$(dimgsetup attach --part twin gpt.img 2>&1 | sed -n 's/^  \([0-9]*\):.*twin.*/\1/p' | xargs)"
refused 2 'there are' dimgsetup attach --part 3 gpt.img
refused 2 'label data' dimgsetup attach --part nosuch gpt.img
refused 1 'leave out' dimgsetup attach --part 1 -o 1M gpt.img
refused 1 'leave out' dimgsetup attach --part 1 --sizelimit 1M gpt.img
refused 1 'which' dimgsetup attach --part '' gpt.img

make_image mbr.img 16M
sfdisk -q mbr.img <<-END
	label: dos
	1: start=2048, size=2M, type=83
	2: start=6144, size=11M, type=5
	5: start=8192, size=4M, type=83
	6: start=18432, size=4M, type=83
END
attach -P mbr.img
NODES=$(cd /dev && echo "${DEV#/dev/}"p*)
check_equal "the kernel's partitions" "p1 p2 p5 p6" "${NODES//${DEV#/dev/}/}"
START=$(sysfs "$DEV" "${DEV#/dev/}p6/start")
detach "$DEV"
of_part mbr.img 6 $((START / 2048)) 4
of_part mbr.img 5 4 4
refused 4 'extended' dimgsetup attach --part 2 mbr.img
refused 2 'no partition table' sh -c 'truncate -s 4M none.img; dimgsetup attach --part 1 none.img'

# tables that promise more than is there
truncate -s 6M gpt.img
refused 2 'cut off' dimgsetup attach --part 2 gpt.img
truncate -s 12M mbr.img
refused 4 'behind the end' dimgsetup attach --part 6 mbr.img
check "nothing is attached" nothing_attached
