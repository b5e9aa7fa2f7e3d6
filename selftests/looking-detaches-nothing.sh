#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: a command that is to change the contents of an auto-detach device does not
# make it disappear: not as a dry run, and else it is refused unless it is mounted.
# Broken: "compact -n" or a planned resize is taken for the one use after which the
# device goes.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
dimgsetup create --mkfs=ext4 "$MNT/disk.img" 32M >/dev/null
attach --auto-detach "$MNT/disk.img"
udevadm settle
seq=$(sysfs "$DEV" diskseq)
is_there() { sleep 0.5; [ "$(sysfs "$DEV" diskseq)" = "$seq" ]; }

check "compact, dry" dimgsetup compact --dry-run "$DEV"
check "is there" is_there
refused 3 'not mounted.*--auto-detach' dimgsetup compact "$DEV"
check "is there" is_there
for more in --dry-run ''; do
	# shellcheck disable=SC2086 # a word or none
	refused 4 'not mounted here.*--auto-detach' dimgsetup resize --all --shrink $more "$DEV" 24M
	# shellcheck disable=SC2086 # likewise
	refused 4 'not mounted here.*--auto-detach' dimgsetup resize --all $more "$DEV" 48M
done
check "is there" is_there
check_equal "as large as before" $((32 << 20)) "$(stat -c %s "$MNT/disk.img")"

mkdir upper
mount "$DEV" upper
defer release_mount "$TMP/upper"
check "mounted: compact" dimgsetup compact "$DEV"
check "mounted: resize" dimgsetup resize --all "$DEV" 48M
check_equal "is larger" $((48 << 20)) "$(blockdev --getsize64 "$DEV")"
umount upper
check "and goes with the unmount" wait_for 10 is_gone "$DEV"
