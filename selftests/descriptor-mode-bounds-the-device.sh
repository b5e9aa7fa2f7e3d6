#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: O_WRONLY and O_PATH descriptors are refused with EBADF, O_APPEND with
# EINVAL, an O_RDONLY one gives a read-only device, an O_DSYNC one works (L1, L2).
# Broken: loop reads through O_WRONLY, and O_APPEND moved every write to the end.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
kernel_refuses EBADF fdzoo wronly disk.img -- nl-send attach backing-fd=9
kernel_refuses EBADF fdzoo path disk.img -- nl-send attach backing-fd=9
kernel_refuses EINVAL fdzoo append disk.img -- nl-send attach backing-fd=9
kernel_refuses EBADF nl-send attach backing-fd=77
kernel_refuses 'EBADF|EINVAL|ERANGE' nl-send attach backing-fd=-1
kernel_refuses EINVAL nl-send attach index=3
check "nothing came into being" nothing_attached

for mode in rdonly rdwr dsync direct; do
	status=0
	out=$(fdzoo $mode disk.img -- nl-send attach backing-fd=9) || status=$?
	# tmpfs of Linux 6.1 cannot be opened with O_DIRECT.
	if [ $status = 4 ]; then
		note "$mode: no such open here"
		continue
	fi
	n=$(field index "$out")
	[ -n "$n" ] || die "$mode: $out"
	DEV=/dev/dimgblk$n
	wait_for 10 test -b "$DEV"
	defer forget_device "$DEV" "$(sysfs "$DEV" diskseq)"
	check_equal "$mode: read-only?" "$([ $mode = rdonly ] && echo 1 || echo 0)" "$(sysfs "$DEV" ro)"
	check "$mode: reads" blkop -r -d "$DEV" read:0:1M:1
	[ $mode = rdonly ] || check "$mode: writes where told" blkop -d "$DEV" write:4K:4K:2 fsync \
		read:4K:4K:2 write:4K:4K:1 fsync
	detach "$DEV"
	check_equal "$mode: size of the file" 1048576 "$(stat -c %s disk.img)"
done
check "the file" blkop disk.img read:0:1M:1
