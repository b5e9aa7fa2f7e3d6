#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: what was asked for and cannot be had is refused (direct=on) or reported
# with the reason (direct=auto); discard and block size are as shown.
# Broken: a buffered device that says "direct", or the reverse.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 4M

# report MODE DIO REASON-PATTERN ATTACH-ARGUMENTS...: reply, sysfs and list agree.
report()
{
	local mode=$1 dio=$2 pattern=$3 json
	shift 3
	attach --direct-io="$mode" "$@"
	check_equal "$*: asked for" "$mode" "$(sysfs "$DEV" dimgblk/direct)"
	check_equal "$*: in effect" "$dio" "$(sysfs "$DEV" dimgblk/dio)"
	check_match "$*: the reason" "$pattern" "$(sysfs "$DEV" dimgblk/direct_reason)"
	json=$(dimgsetup list --json --output-all "$DEV")
	check_match "$*: in list" "\"dio\": *$([ "$dio" = 1 ] && echo true || echo false)" "$json"
	detach "$DEV"
}

report on 1 '^$' "$MNT/disk.img"
report off 0 '^$' "$MNT/disk.img"
report auto 1 '^$' "$MNT/disk.img"

# Direct I/O needs offsets that the file system below can address; 4096-byte
# blocks on a 512-byte offset can not be had on any.
kernel_refuses EINVAL nl-send attach backing-fd=9 direct=1 offset=512 logical-block-size=4096 9<>"$MNT/disk.img"

# A file system without any direct I/O.
truncate -s 1M ramfs.img
mkdir ramfs
mount -t ramfs none ramfs
defer release_mount "$TMP/ramfs"
make_image ramfs/disk.img 1M
kernel_refuses EINVAL nl-send attach backing-fd=9 direct=1 9<>ramfs/disk.img
refused 4 'direct' dimgsetup attach --direct-io=on ramfs/disk.img
report auto 0 '.{10,}' ramfs/disk.img

# Discard: offered where the file can have holes, absent where not.
attach "$MNT/disk.img"
check "ext4: discard is offered" test "$(sysfs "$DEV" queue/discard_max_bytes)" -gt 0
check "and works" blkop "$DEV" discard:0:1M
detach "$DEV"
attach ramfs/disk.img
fails_with EOPNOTSUPP blkop "$DEV" discard:0:1M
check_equal "ramfs: not offered" 0 "$(sysfs "$DEV" queue/discard_max_bytes)"
detach "$DEV"
