#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: the node is for root and the group disk, who may read and write the bytes of
# the window; no ioctl of theirs makes a read-only device writable, changes, moves or
# detaches a device, and there are no ioctls of loop.
# Broken: everybody reads the image, or the group disk becomes root by an ioctl.
. "$(dirname "$0")/lib/dimgblk.sh"

as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups --)
as_disk=(setpriv --reuid 1000 --regid 1000 --groups disk --)
chmod 755 "$TMP"
make_image disk.img 1M
cp disk.img before.img
tail -c +4097 disk.img >window.img
attach -r -o 4K --sizelimit 512K disk.img
before=$(nl-send -d get)
check_equal "mode and owner of the node" "660 root disk" "$(stat -c '%a %U %G' "$DEV")"
fails_with EACCES "${as_user[@]}" "$SELFTESTS/helpers/blkop" -r "$DEV" read:0:4K:1
check "the group disk reads" "${as_disk[@]}" cmp -n 524288 "$DEV" window.img
fails_with 'EACCES|EPERM' "${as_disk[@]}" "$SELFTESTS/helpers/blkop" -r "$DEV" setro:0
fails_with 'EACCES|EPERM|EROFS' "${as_disk[@]}" "$SELFTESTS/helpers/blkop" "$DEV" write:0:4K:9
check_equal "still read-only" 1 "$(blockdev --getro "$DEV")"
# LOOP_CLR_FD, LOOP_SET_CAPACITY, LOOP_SET_DIRECT_IO
for option in -d -c --direct-io=on; do
	check_fails "losetup $option, as root" losetup $option "$DEV"
	check_fails "losetup $option, group disk" "${as_disk[@]}" losetup $option "$DEV"
done
check_equal "nothing has changed" "$before" "$(nl-send -d get)"
detach "$DEV"
check "the image is untouched" cmp before.img disk.img

attach -o 4K --sizelimit 512K disk.img
check "the group disk writes" "${as_disk[@]}" "$SELFTESTS/helpers/blkop" -d "$DEV" write:0:512K:9 fsync
check_fails "but not past the window" "${as_disk[@]}" "$SELFTESTS/helpers/blkop" -d "$DEV" \
	write:512K:4K:9
check_fails "and does not discard past it" "${as_disk[@]}" "$SELFTESTS/helpers/blkop" "$DEV" \
	discard:508K:8K
detach "$DEV"
check "before the window" cmp -n 4096 before.img disk.img
check "after the window" cmp -i 528384 before.img disk.img
