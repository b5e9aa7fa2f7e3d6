#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 512M
# Claim: a refused attach or set changes nothing: no device, no uevent, the image
# not pinned and untouched, the settings of a live device as before; and the
# next good attach announces itself as ever (A7, A11, A22, B2).
# Broken: loop's LOOP_CONFIGURE keeps uevents suppressed after a refused size.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/disk.img" 4M
make_image "$MNT/other.img" 2M
: >"$MNT/empty.img"
cp "$MNT/disk.img" before.img
attach -o 1M "$MNT/other.img"
settings=$(nl-send get index="$(index_of "$DEV")")
tree=$(cd "/sys/block/${DEV#/dev/}/dimgblk" && grep -r . .)

refuse_all()
{
	local a
	for a in offset=511 offset=1073741824 offset=4194304 offset=9223372036854775808 \
		size-limit=100 logical-block-size=700 logical-block-size=536871936 \
		index=1048576 "index=$(index_of "$DEV")" name=a/b queue-depth=5000 \
		nr-hw-queues=5000 flags=256 direct=7 "offset=512 logical-block-size=4096"; do
		# shellcheck disable=SC2086
		! nl-send attach backing-fd=9 $a 9<>"$MNT/disk.img" || return 1
	done >/dev/null
	! nl-send attach backing-fd=9 9<>"$MNT/empty.img" || return 1
	! nl-send attach backing-fd=9 9<"$MNT" || return 1
	! nl-send attach backing-fd=9 offset=1572864 9<>"$MNT/other.img" || return 1
	! nl-send set index="$(index_of "$DEV")" direct=9 || return 1
	! nl-send set index="$(index_of "$DEV")" diskseq=1 resize || return 1
	! dimgsetup attach -b 768 "$MNT/disk.img" || return 1
}

export -f refuse_all index_of
export DEV MNT
events=$(uevents bash -c refuse_all 2>/dev/null) || fail "something was accepted"
check_equal "no uevent" "" "$events"
check_equal "one device" "$DEV" "$(compgen -G '/dev/dimgblk*')"
check_equal "its settings" "$settings" "$(nl-send get index="$(index_of "$DEV")")"
check_equal "its sysfs" "$tree" "$(cd "/sys/block/${DEV#/dev/}/dimgblk" && grep -r . .)"
check "its bytes" cmp -i 1M:0 "$MNT/other.img" "$DEV"
check "the image" cmp before.img "$MNT/disk.img"

truncate -s 512K "$MNT/other.img"
kernel_refuses ERANGE nl-send set index="$(index_of "$DEV")" resize
check_equal "a refused resize keeps the size" $((1 << 20)) "$(blockdev --getsize64 "$DEV")"
detach "$DEV"

events=$(uevents dimgsetup attach "$MNT/disk.img" 2>attach.out) || true
DEV=/dev/$(awk '/^add/ { print $2 }' <<<"$events")
check_equal "a good attach is announced" "add ${DEV#/dev/}" "$(grep add <<<"$events")"
dimgsetup detach "$DEV"
check "nothing holds the file system" umount "$MNT"
