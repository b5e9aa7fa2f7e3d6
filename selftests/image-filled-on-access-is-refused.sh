#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: a file that a service fills in when a system call reads it (fanotify's
# FAN_PRE_ACCESS, since 6.14) is refused, as nobody would fill it for a device.
# Broken: a device full of zeros, and its writes are overwritten by the contents.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 1M
if grep -qw fsnotify_open_perm_and_set_mode /proc/kallsyms; then
	kernel_refuses EINVAL fdzoo filled "$MNT/disk.img" -- nl-send attach backing-fd=9
	check_match "for that reason" fanotify \
		"$(fdzoo filled "$MNT/disk.img" -- nl-send attach backing-fd=9 2>&1 || true)"
else
	status=0
	fdzoo filled "$MNT/disk.img" -- true >/dev/null || status=$?
	check_equal "this kernel has no such files" 4 $status
fi
check "nothing came into being" nothing_attached
# and without a watcher it is an image as any other
attach "$MNT/disk.img"
check "the bytes" cmp "$MNT/disk.img" "$DEV"
detach "$DEV"
