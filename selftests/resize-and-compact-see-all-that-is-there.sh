#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 1200M
# timeout: 180
# Claim: what is cut off or dug out is nobody's: not that of partitions behind the mark of
# an older file system, of a GPT that is damaged, of a mounted file system that grew a
# moment ago, or of another device on the same bytes.
# Broken: a resize or a compact that succeeds and takes data with it.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/filesystems.sh"

# ext4 once, partitions now
truncate -s 64M disk.img
make_fs ext4 disk.img
truncate -s 128M disk.img
echo 'start=2048, type=83' | sfdisk -q --wipe never --label dos disk.img >/dev/null
before=$(sha256sum <disk.img)
for more in '' --all; do
	# shellcheck disable=SC2086 # a word or none
	refused 4 'partition table.*nobody knows' dimgsetup resize --shrink $more disk.img 80M
done
check_equal "stale mark: as it was" "$before" "$(sha256sum <disk.img)"

# both copies of the GPT are void
rm disk.img
dimgsetup create --gpt --mkfs=ext4 disk.img 64M >/dev/null
truncate -s 32M disk.img
refused 4 'may be damaged' dimgsetup resize --shrink disk.img 16M
check_equal "void GPT: as long as it was" $((32 << 20)) "$(stat -c %s disk.img)"

# two devices, or a loop device, on the same bytes
make_image disk.img 8M
attach disk.img
first=$DEV
attach --allow-overlap disk.img
refused 4 "shares its image with $DEV" dimgsetup compact "$first"
refused 4 'shares its image' dimgsetup compact disk.img
detach "$DEV"
modprobe -q loop && udevadm settle
loop=$(losetup -f --show disk.img)
refused 4 "is attached as $loop" dimgsetup compact "$first"
for place in /sys/block "/sys/block/${loop#/dev/}/loop/backing_file"; do
	# shellcheck disable=SC2016
	WHERE=$place refused 7 'cannot find out whether a loop device has it' \
		before-call openat '[ "$3" != "$WHERE" ] || exit 24' dimgsetup compact "$first"
done
losetup -d "$loop"
check "alone again" dimgsetup compact "$first"
detach "$first"

# grown a moment ago, which is in the log only
# shellcheck disable=SC2016
no_descriptor='[ "$3" = "$NODE" ] || exit 0; echo >>opens; [ $(wc -l <opens) != "$AT" ] || exit 24'
scratch_fs ext4
mkdir upper
for type in xfs btrfs; do
	modprobe -q $type || continue
	rm -f "$MNT/disk.img"
	truncate -s 320M "$MNT/disk.img"
	attach "$MNT/disk.img"
	make_fs $type "$DEV"
	mount_at "$DEV" "$TMP/upper"
	check "$type: grows" dimgsetup resize --all "$MNT/disk.img" 640M
	refused 4 . dimgsetup resize --shrink "$MNT/disk.img" 320M
	if [ $type = xfs ]; then
		refused 4 'Unmount it' dimgsetup resize --shrink --all "$MNT/disk.img" 320M
		# nor when it cannot find out whether it is in use
		for at in 1 2 3 4 5 6; do
			rm -f opens
			NODE=$DEV AT=$at check_fails "$type: no descriptor for open $at" \
				before-call openat "$no_descriptor" \
				dimgsetup resize --shrink --all "$MNT/disk.img" 320M
			check_equal "$type: nothing is cut off" $((640 << 20)) \
				"$(stat -c %s "$MNT/disk.img")"
		done
	else
		check "$type: and back" dimgsetup resize --shrink --all "$MNT/disk.img" 320M
	fi
	cp "$SELFTESTS"/*.sh upper/
	sync -f upper
	umount upper
	mount "$DEV" upper
	check "$type: the files are" cmp upper/monitor-prints-events.sh "$SELFTESTS/monitor-prints-events.sh"
	umount upper
	check "$type: sound" fsck_clean $type "$DEV"
	detach "$DEV"
done
