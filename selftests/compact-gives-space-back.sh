#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 256M
# Claim: compact frees what an image has allocated in vain: detached, attached and
# mounted, also through partitions; not a byte that can be read changes, killed or
# not; whoever uses the image is not raced with (features.md pain 39).
# Broken: a sparse image only grows, or a hole where somebody has just written.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/kill.sh"

scratch_fs ext4
cd mnt
defer cd /

allocated()
{
	echo $(($(stat -c %b "$1") * 512))
}

# padded FILE: 1M of data, 6M of zeros, 1M of data.
padded()
{
	rm -f "$1"
	make_image "$1" 8M
	dd if=/dev/zero of="$1" bs=1M seek=1 count=6 conv=notrunc,fsync status=none
}

padded disk.img
sum=$(sha256sum <disk.img)
out=$(dimgsetup compact --dry-run disk.img)
check_match "dry run: tells of the zeros" "^disk.img: [0-9]+ bytes allocated, 6291456 of them" "$out"
check "and frees nothing" [ "$(allocated disk.img)" -ge $((8 << 20)) ]
before=$(allocated disk.img)
out=$(dimgsetup compact disk.img)
check_equal "detached: what it says is true" \
	"disk.img: $before -> $(allocated disk.img) bytes allocated, 6M given back" "$out"
check "6M are free" [ "$(allocated disk.img)" -le $((before - (6 << 20))) ]
check_equal "the bytes are the same" "$sum" "$(sha256sum <disk.img)"
padded open.img
exec 8<>open.img
refused 3 "in use: another program has it open" dimgsetup compact open.img
exec 8>&-
check "when it is closed, it is done" dimgsetup compact open.img
fallocate -l 12M reserved.img
dimgsetup compact --progress=json reserved.img >/dev/null 2>json
check_equal "reserved space goes, too" 0 "$(allocated reserved.img)"
check_equal "progress is JSON" '"dig" "done"' "$(jq -s -r '.[-1] | [.progress, .state] | @json' \
	<json | tr -d '[]' | tr ',' ' ')"

padded disk.img
attach --offset 4096 disk.img
dimgsetup compact "$DEV" >/dev/null
check "attached: 6M are free" [ "$(allocated disk.img)" -le $((2200 << 10)) ]
check_equal "the bytes are the same" "$sum" "$(sha256sum <disk.img)"
# a writer that takes no lock
exec 8<>"$DEV"
sleep 60 &
writer=$!
exec 8>&-
wait_for 10 grep -qx sleep /proc/$writer/comm
refused 3 "in use.*left as it is" dimgsetup compact "$DEV"
check_match "who it is, is told" "sleep" "$(cat "$TMP/.stderr")"
stop $writer
# not resolved to the device by an ordinary user: then the locks tell
chmod 666 disk.img
refused 3 "in use: it is attached" setpriv --reuid=65534 --regid=65534 --clear-groups \
	dimgsetup compact disk.img
detach "$DEV"
attach -r disk.img
refused 4 "read-only" dimgsetup compact "$DEV"
detach "$DEV"

truncate -s 64M parts.img
sfdisk -q parts.img <<<$'label: gpt\nsize=32M\nsize=16M\n' >/dev/null
attach -P parts.img
make_fs ext4 "${DEV}p1" -E nodiscard
blkop "${DEV}p2" write:0:1M:1 fsync
dd if=/dev/zero of="${DEV}p2" bs=1M seek=1 count=4 conv=notrunc,fsync status=none
mount_at "${DEV}p1" "$TMP/upper"
blkop_file()
{
	truncate -s 5M "$1" && blkop "$1" write:0:5M:3 fsync
}
blkop_file "$TMP/upper/keep"
blkop_file "$TMP/upper/drop"
rm "$TMP/upper/drop"
sync
before=$(allocated parts.img)
out=$(dimgsetup compact -v "$DEV" 2>&1)
check_match "the mounted partition is trimmed" "$TMP/upper: trimming" "$out"
check "9M are free" [ "$(allocated parts.img)" -le $((before - (8 << 20))) ]
check "the file in it is whole" blkop "$TMP/upper/keep" read:0:5M:3
check "the other partition, too" blkop "${DEV}p2" read:0:1M:1
umount "$TMP/upper"
detach "$DEV"

refused 2 "no such file" dimgsetup compact ./nothing.img
refused 1 "give one" dimgsetup compact
refused 1 "takes bar" dimgsetup compact --progress=fast disk.img

# long enough that there is something to kill
setup()
{
	rm -f disk.img open.img reserved.img parts.img
	make_image disk.img 2M
	dd if=/dev/zero of=disk.img bs=1M seek=2 count=22 conv=notrunc status=none
}
setup
sum=$(sha256sum <disk.img)
unchanged()
{
	[ "$(sha256sum <disk.img)" = "$sum" ] && dimgsetup compact disk.img >/dev/null &&
		[ "$(allocated disk.img)" -le $((2100 << 10)) ]
}
KILL_POINTS=3
kill_points setup unchanged dimgsetup compact disk.img
cd "$TMP"
