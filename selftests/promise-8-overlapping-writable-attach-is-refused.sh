#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: two devices on overlapping bytes of one file, one of them writable, are
# refused by the kernel, which names the other device; not when they only touch,
# when both are read-only, or when overlap is asked for.
# Broken: two file systems mounted from one image destroy each other.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
ln disk.img link.img
attach -o 1M --sizelimit 1M disk.img
first=$DEV

kernel_refuses EBUSY nl-send attach backing-fd=9 9<>disk.img
check_match "the other device is named" "${first#/dev/}" "$(nl-send attach backing-fd=9 9<>disk.img || true)"
kernel_refuses EBUSY nl-send attach backing-fd=9 9<disk.img
kernel_refuses EBUSY nl-send attach backing-fd=9 offset=1572864 9<>disk.img
kernel_refuses EBUSY nl-send attach backing-fd=9 offset=2096640 9<>disk.img
kernel_refuses EBUSY nl-send attach backing-fd=9 size-limit=1049088 9<>disk.img
kernel_refuses EBUSY nl-send attach backing-fd=9 offset=1048576 9<>link.img
kernel_refuses EBUSY nl-send attach backing-fd=9 flags=1 9<>disk.img
refused 4 "${first#/dev/}" dimgsetup attach disk.img

attach -o 2M disk.img
check "behind it: fine" cmp -i 2M:0 disk.img "$DEV"
attach --sizelimit 1M disk.img
check "before it: fine" cmp -n 1M disk.img "$DEV"
attach --allow-overlap -r disk.img
check_equal "asked for: fine, and told" 1 "$(sysfs "$DEV" dimgblk/overlap)"
check "and right" cmp disk.img "$DEV"
for d in /dev/dimgblk?; do detach "$d"; done

attach -r disk.img
attach -r disk.img
check "read-only twice: fine" cmp disk.img "$DEV"
kernel_refuses EBUSY nl-send attach backing-fd=9 9<>disk.img
for d in /dev/dimgblk?; do detach "$d"; done

# Block devices overlap by device, not by node.
scratch_disk 1
attach "$DISK"
kernel_refuses EBUSY nl-send attach backing-fd=9 9<>"$DISK"
detach "$DEV"

# A disk and its partitions have a page cache each, so a page must not be in two of them: one
# would write back what the other one had before.
sfdisk -q "$DISK" <<<$'label: dos\nstart=2047, size=20480\n' >/dev/null
udevadm settle
PART=$(ls "$DISK"?*)
check "the head of the disk" nl-send attach direct=0 backing-fd=9 size-limit=$((2047 * 512)) 9<>"$DISK"
kernel_refuses EBUSY nl-send attach direct=0 backing-fd=9 9<>"$PART"
check "a whole page behind it: fine" \
	nl-send attach direct=0 backing-fd=9 offset=4096 size-limit=1049088 9<>"$PART"
check "in the same page of the same cache: fine" \
	nl-send attach direct=0 backing-fd=9 offset=$((4096 + (1 << 20) + 512)) 9<>"$PART"
dimgsetup detach --all
wipefs -qa "$DISK"
blockdev --rereadpt "$DISK"
