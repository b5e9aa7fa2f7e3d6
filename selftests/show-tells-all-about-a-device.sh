#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: show prints every setting, the partitions and the holders of a device as
# lines "key: value".
# Broken: a setting that can be asked for and never seen.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 16M disk.img
sfdisk -q disk.img <<<$'label: gpt\nsize=8M\n' >/dev/null
attach -P --name tester disk.img
make_fs ext4 "${DEV}p1"
mkdir upper
mount "${DEV}p1" upper
defer release_mount "$TMP/upper"
out=$(dimgsetup show tester)
note_text "$out"
check_match "the node" "$DEV" "$out"
check_match "the name" tester "$out"
check_match "the image" "$TMP/disk.img" "$out"
check_match "the partition" "${DEV#/dev/}p1" "$out"
check_match "who holds it" "$TMP/upper" "$out"
check_equal "every line is key: value" "" "$(grep -Ev '^ *[^:]+:|^ ' <<<"$out" || true)"
umount upper
