#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# timeout: 90
# Claim: a create that is refused, runs out of room, is interrupted or whose mkfs
# fails leaves no file and no room taken; it replaces nothing without --force,
# and with it nothing that is in use.
# Broken: half an image has the name, or an old one is lost.
. "$(dirname "$0")/lib/dimgblk.sh"

in_dir() { find "$1" -mindepth 1 ! -name lost+found -printf '%P '; }
used() { df --output=used -B1 "$1" | tail -1; }
is_back() { [ "$(used "$1")" -le "$2" ]; }

# nothing_left STATUS PATTERN DIR ARGUMENT...: refused, DIR as it was
nothing_left() {
	local dir=$3 files before
	files=$(in_dir "$dir") before=$(used "$dir")
	refused "$1" "$2" dimgsetup create "${@:4}"
	check_equal "no file is left" "$files" "$(in_dir "$dir")"
	# the file system may free the room a moment later
	check "no room is taken" wait_for 10 is_back "$dir" "$before"
}

mkdir small
mount -t tmpfs -o size=8M none small
defer release_mount "$TMP/small"
nothing_left 4 '16M are needed.*8M free' small --method=allocate small/a 16M
nothing_left 4 '16M are needed.*8M free' small --method=zero small/a 16M
nothing_left 7 'mkfs.xfs' small --mkfs=xfs small/a 400M
nothing_left 7 'larger|300' small --mkfs=xfs small/a 20M
nothing_left 4 'No space left' small --gpt --mkfs=ext4 small/a 20G
nothing_left 2 'mkdir' small small/none/a 1M
(
	ulimit -f 1024
	refused 4 'ulimit' dimgsetup create --method=zero small/a 2M
	[ -z "$KTAP_FAILED" ]
) || fail "ulimit -f"
check_equal "nothing in it" "" "$(in_dir small)"

nothing_left 1 'takes ext4' small --mkfs=minix small/a 1M

# signals, with and without nameless files
scratch_disk 1
for type in ext4 vfat; do
	modprobe -q $type || continue
	make_fs $type "$DISK"
	mkdir -p host
	mount "$DISK" host
	defer release_mount "$TMP/host"
	before=$(used host)
	for sig in INT TERM HUP; do
		# the command empties it later than the wait looks at it
		: >log
		# bash lets background commands ignore INT; env gives it back
		env --default-signal=INT dimgsetup create --method=zero \
			--progress=json host/a 300M 2>log &
		pid=$!
		wait_for 10 grep -q begin log
		kill -$sig $pid
		status=0
		wait $pid 2>/dev/null || status=$?
		check_equal "$type, $sig: ended by the signal" $((128 + $(kill -l $sig))) $status
		check_match "$type, $sig: and says so" 'nothing was made' "$(cat log)"
		check_equal "$type, $sig: no file is left" "" "$(in_dir host)"
		check "$type, $sig: no room is taken" wait_for 10 \
			is_back host "$before"
	done
	umount host
	wipefs -aq "$DISK"
done

# what is there stays
dimgsetup create --mkfs=ext4 --label=precious disk.img 16M
sum=$(sha256sum disk.img)
refused 4 'has ext4 labelled "precious"' dimgsetup create disk.img 1M
ln -s disk.img link
ln -s nowhere dangling
refused 4 'precious' dimgsetup create link 1M
refused 4 'symbolic link' dimgsetup create --force dangling 1M
refused 4 'exists' dimgsetup create small 1M
refused 4 'no regular file' dimgsetup create --force small 1M
refused 4 'no regular file' dimgsetup create --force /dev/null 1M
refused 7 . dimgsetup create --force --mkfs=xfs disk.img 20M
attach disk.img
refused 3 "attached to $DEV" dimgsetup create --force disk.img 1M
refused 3 "attached to $DEV" dimgsetup create --force link 1M
detach "$DEV"
if loop=$(losetup -f --show disk.img 2>/dev/null); then
	refused 4 "attached.*$loop" dimgsetup create --force disk.img 1M
	losetup -d "$loop"
fi
check_equal "the old one is untouched" "$sum" "$(sha256sum disk.img)"
# a closed stdout must not be the next file that is opened
check_fails "a closed stdout is a failure" sh -c 'dimgsetup resize disk.img +1M >&-'
check_equal "and no byte goes to the image" "$sum" "$(head -c 16M disk.img | sha256sum | sed 's/-/disk.img/')"

# nobody can tell who uses what may not be opened
mkdir -m 777 theirs
make_image theirs/root.img 1M
chmod 600 theirs/root.img
sum=$(sha256sum theirs/root.img)
refused 5 'nobody knows who uses it' setpriv --reuid=65534 --regid=65534 --clear-groups \
	dimgsetup create --force theirs/root.img 1M
check_equal "it is kept" "$sum" "$(sha256sum theirs/root.img)"
chown 65534:65534 theirs/root.img
check "root replaces it" dimgsetup create --force theirs/root.img 1M
check_equal "owner and mode stay" "65534 65534 600" "$(stat -c '%u %g %a' theirs/root.img)"

# another file gets the name meanwhile: a mkfs of ours sees to that
mkdir bin
echo precious >other
printf '#!/bin/sh\nmv -f "%s/other" "%s/theirs/root.img"\n' "$TMP" "$TMP" >bin/mkfs.ext4
chmod +x bin/mkfs.ext4
refused 4 'has appeared meanwhile' env PATH="$TMP/bin:$PATH" \
	dimgsetup create --force --mkfs=ext4 theirs/root.img 16M
check_equal "it is kept" precious "$(cat theirs/root.img)"

check "replaced when nobody uses it" dimgsetup create --force link 1M
check_equal "through the link" "1048576 symbolic link" "$(stat -L -c %s link) $(stat -c %F link)"
