#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# timeout: 120
# Claim: whatever ends a snapshot, kill -9 and a full disk included, the file systems
# go on and no half copy is left; what would wait for itself is refused.
# Broken: a backup at night, and a server that stands still until it is reset.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/kill.sh"
. "$SELFTESTS/lib/mapped.sh"

requires_command mkfs.vfat fsfreeze
scratch_fs ext4
truncate -s 96M mnt/disk.img
sfdisk -q mnt/disk.img <<<$'label: gpt\nsize=70M\nsize=20M\n' >/dev/null
attach -P --name snap mnt/disk.img
map_disk "${DEV}p1"
make_fs ext4 "$MAPPED"
mount_at "$MAPPED" "$TMP/upper"
dd if=/dev/urandom of=upper/data bs=1M count=16 conv=fsync status=none
truncate -s 8M upper/inner.img
make_fs ext2 upper/inner.img
attach upper/inner.img
mount_at "$DEV" "$TMP/inner"

goes_on()
{
	timeout 5 touch upper/probe
}

# A partition has a cache of its own; kept open, for the last close writes it out.
part2=$(readlink -f /dev/disk/by-dimg-name/snap-part2)
exec 8<"$part2"
head -c 8192 /dev/urandom >"$part2"

# A layer in between is no hindrance.
out=$(dimgsetup snapshot snap out.img)
check "what is written to a partition is in it" cmp -n 8192 -i 0:$((71 << 20)) "$part2" out.img
exec 8<&-
check_match "stood still, through device mapper" "stood still for [0-9]+ ms" "$out"
attach -r --part 1 out.img
mount_at "$DEV" "$TMP/copy" -o ro
check "the copy has the data" cmp upper/data copy/data
umount copy
detach "$DEV"
check_equal "nobody else may read it" "$(stat -c %a mnt/disk.img)" "$(stat -c %a out.img)"
refused 4 "exists; it is kept|exists, and" dimgsetup snapshot snap out.img
check "with --force it is replaced" dimgsetup snapshot --force snap out.img
refused 4 "is the image itself" dimgsetup snapshot --force snap mnt/disk.img
refused 4 "would lie in the image" dimgsetup snapshot snap upper/out.img
refused 4 "would lie in the image" dimgsetup snapshot snap inner/out.img
check_fails "nor may the output, further down" sh -c 'dimgsetup snapshot snap x.img >inner/out'
check "it is not made" [ ! -e x.img ]
check_fails "nor may the messages" sh -c 'dimgsetup snapshot snap x.img 2>upper/err'
check_match "which is said" "the output goes to a file in the image" "$(cat upper/err)"
refused 4 "cannot share the blocks" dimgsetup snapshot --method=reflink snap x.img
refused 1 "takes reflink" dimgsetup snapshot --method=magic snap x.img
refused 1 "give a device" dimgsetup snapshot snap
refused 2 "no such file" dimgsetup snapshot ./none.img x.img
# who may read the image, but not see that it is attached, meets its locks
chmod 644 mnt/disk.img
refused 3 "is attached, and may be written" setpriv --reuid=65534 --regid=65534 \
	--clear-groups dimgsetup snapshot mnt/disk.img /tmp/x.img
check "after refusals it goes on" goes_on

mkdir small
mount -t tmpfs -o size=8M small small
refused 4 "nothing of it is left.*No space left" dimgsetup snapshot --method=copy snap small/out.img
check_match "what to do" "Make room where the copy goes" "$(cat "$TMP/.stderr")"
check_equal "a full disk: nothing is left" "" "$(ls -A small)"
umount small
check "and it goes on" goes_on

# thawed by somebody else in the middle; if it was over by then, once more
for _ in {1..20}; do
	dimgsetup snapshot --method=copy snap x.img >/dev/null 2>err &
	pid=$!
	until fsfreeze -u upper 2>/dev/null || ! kill -0 $pid 2>/dev/null; do :; done
	status=0
	wait $pid || status=$?
	[ $status = 0 ] || break
	rm x.img
done
check_equal "a copy in the middle of which it was thawed fails" 3 "$status"
check_match "who is to blame is said" "$TMP/upper: was thawed by somebody else" "$(cat err)"
check "it is removed" [ ! -e x.img ]

fsfreeze -f upper
refused 3 "frozen already" dimgsetup snapshot snap x.img
fsfreeze -u upper
# one that cannot stand still beside one that can
mkfs.vfat "/dev/$(basename "$(readlink -f /dev/disk/by-dimg-name/snap-part2)")" >/dev/null
mount_at /dev/disk/by-dimg-name/snap-part2 "$TMP/fat"
refused 4 "cannot be frozen.*vfat" dimgsetup snapshot snap x.img
umount fat
check "the other one goes on" goes_on

cp upper/inner.img deleted.img
attach deleted.img
rm deleted.img
check "a deleted image is saved from its device" dimgsetup snapshot "$DEV" saved.img
check "all of it" cmp "$DEV" saved.img
check "without zeros" [ "$(stat -c %b saved.img)" -lt 8192 ]
detach "$DEV"

setup()
{
	rm -f out.img
}
# Complete or absent, and the file system goes on soon.
whole_or_none()
{
	wait_for 20 goes_on && ! compgen -G '.*dimgsetup*' >/dev/null &&
		{ [ ! -e out.img ] || e2fsck -fn 'out.img?offset=1048576' >/dev/null 2>&1; }
}
KILL_POINTS=4
kill_points setup whole_or_none dimgsetup snapshot --method=copy snap out.img
umount inner
