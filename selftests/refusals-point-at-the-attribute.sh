#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: when a value is refused, the answer points at the attribute that has it.
# Broken: a program that asked for ten things is told that one of them is wrong, not which.
. "$(dirname "$0")/lib/dimgblk.sh"

# blames ATTRIBUTE ERRNO ATTR[=VALUE]...: for a device on descriptor 9.
blames()
{
	local out status=0
	out=$(nl-send -a attach backing-fd=9 "${@:3}") || status=$?
	check_equal "${*:3}: refused" 1 $status
	check_match "${*:3}: with $2" "^($2): " "$out"
	check_equal "${*:3}: to blame is" "at $1" "${out##*$'\n'}"
}

make_image disk.img 2M
make_image other.img 2M
cpus=$(tr ',' '\n' </sys/devices/system/cpu/possible |
	awk -F- '{ n += ($2 == "" ? 1 : $2 - $1 + 1) } END { print n }')

exec 9<>disk.img
blames index ERANGE index=1048576
blames logical-block-size EINVAL logical-block-size=768
blames nr-hw-queues ERANGE nr-hw-queues=$((cpus + 1))
blames queue-depth ERANGE queue-depth=1000000
blames name EINVAL name=str:.hidden
blames name EINVAL name=str:dimgblk1
blames offset 'EOVERFLOW|EINVAL' offset=18446744073709551104 size-limit=512
blames size-limit 'EOVERFLOW|EINVAL' offset=512 size-limit=18446744073709551104
blames offset EINVAL offset=513 size-limit=512
blames size-limit EINVAL offset=512 size-limit=513
blames offset ERANGE offset=2097152 size-limit=512

attach --name taken --index 7 other.img
blames name EEXIST name=str:taken index=8
blames index EEXIST name=str:free index=7
detach "$DEV"

# A disk with sectors of 4096 bytes, and a file that cannot be read past the page cache.
attach -b 4096 other.img
exec 9<>"$DEV"
blames logical-block-size EINVAL logical-block-size=512
exec 9>&-
detach "$DEV"
mkdir ramfs
mount -t ramfs none ramfs
defer release_mount "$TMP/ramfs"
make_image ramfs/disk.img 1M
exec 9<>ramfs/disk.img
blames direct EINVAL direct=1
exec 9>&-
check "nothing came into being" nothing_attached
