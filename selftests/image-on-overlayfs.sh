#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 128M
# Claim: an image on overlayfs is written where its window says, whatever flags its owner
# gives the open file later; and reads do not wait for a frozen layer.
# Broken: O_APPEND, set on the descriptor after attach, sends acknowledged writes to the
# end of the file below, and reads show the old bytes; two halves of a page are refused.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command fsfreeze
modprobe -q overlay || grep -q overlay /proc/filesystems || skip "no overlayfs in this kernel"
scratch_fs ext4
mkdir "$MNT/lower" "$MNT/upper" "$MNT/work" merged
make_image "$MNT/lower/disk.img" 4M
mount -t overlay -o "lowerdir=$MNT/lower,upperdir=$MNT/upper,workdir=$MNT/work" overlay merged
defer release_mount "$TMP/merged"

for flags in append direct; do
	exec 9<>merged/disk.img
	out=$(nl-send attach backing-fd=9 direct=0)
	DEV=/dev/dimgblk$(field index "$out")
	defer forget_device "$DEV" "$(sysfs "$DEV" diskseq)"
	udevadm settle
	fdzoo --set $flags
	check "$flags: a write" blkop -d "$DEV" write:1M:64K:2 fsync
	check "$flags: is where it belongs" blkop -r -d "$DEV" read:1M:64K:2
	check "$flags: one that is not aligned for direct I/O" blkop "$DEV" write:512:1K:3 fsync
	exec 9>&-
	detach "$DEV"
	check "$flags: in the image" blkop merged/disk.img read:1M:64K:2 read:512:1K:3
	check_equal "$flags: which is no longer" $((4 << 20)) "$(stat -c %s merged/disk.img)"
done

thaw()
{
	fsfreeze -u "$MNT" 2>/dev/null || true
}
# One cache, whichever name is used: what is in one page may be of two devices.
attach --direct-io=off --sizelimit 2K merged/disk.img
one=$DEV
attach --direct-io=off --offset 2K --sizelimit 2K "$MNT/upper/disk.img"
check "one half of a page" blkop -d "$one" write:0:2K:5
check "the other one, by its name in the layer" blkop -d "$DEV" write:0:2K:6 fsync
check "and the first again" blkop -d "$one" write:0:1K:7 fsync
sync
echo 3 >/proc/sys/vm/drop_caches
check "nothing of it is undone" blkop -r -d "$one" read:0:1K:7 read:1K:1K:5
check "in either half" blkop -r -d "$DEV" read:0:2K:6
detach "$one" "$DEV"

for mode in on off; do
	attach --direct-io=$mode merged/disk.img
	udevadm settle
	fsfreeze -f "$MNT"
	defer thaw
	sh -c "cd /; timeout 30 tail -f /dev/null; fsfreeze -u '$MNT'" >/dev/null 2>&1 &
	rescue=$!
	blkop -d "$DEV" write:2M:4K:4 >out 2>&1 &
	writer=$!
	check "direct=$mode: the write waits" wait_for 10 in_flight "$DEV"
	check "direct=$mode: reads do not" timeout 15 blkop -r -d "$DEV" read:1M:4K:2
	check "direct=$mode: it is still waiting" kill -0 $writer
	thaw
	check_child "direct=$mode: it completes after the thaw" $writer
	stop $rescue
	detach "$DEV"
done
