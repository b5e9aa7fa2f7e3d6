#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# requires-cpus: 2
# Claim: compact of a file digs no hole where it saw zeros and somebody has written since:
# a program that opens the file waits for compact, but not for ever, and writes when the
# kernel has taken the lease away.
# Broken: new data is gone if compact was stopped (Ctrl-Z) between its read and its hole, or if
# a hole had to wait.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
cd "$MNT"
dd if=/dev/zero of=disk.img bs=1M count=4 status=none
make_image new 4M
before=$(cat /proc/sys/fs/lease-break-time)
echo 1 >/proc/sys/fs/lease-break-time
defer sh -c "echo $before >/proc/sys/fs/lease-break-time"

# After its first read under the lease, before whatever it does next.
# shellcheck disable=SC2016
write='last=$(cat last 2>/dev/null)
echo "$1" >last
[ "$last" = pread64 ] && [ "$1" != pread64 ] && [ ! -e written ] &&
	grep -q "LEASE" /proc/locks || exit 0
dd if=new of=disk.img bs=1M conv=notrunc status=none
touch written'
refused 3 'is being opened by another program' \
	before-call pread64,fcntl,fallocate "$write" dimgsetup compact disk.img
check "somebody wrote" [ -e written ]
check "it is all there" cmp new disk.img
check "and compact does its work when nobody comes" dimgsetup compact disk.img
check "with the same bytes" cmp new disk.img

# Hole after hole, each of which may wait for the storage; after the first one.
perl -e 'print "\0" x 4096, "x" x 4096 for 1 .. 512' >disk.img
rm -f last written
# shellcheck disable=SC2016
write='last=$(cat last 2>/dev/null)
echo "$1" >last
[ "$last" = fallocate ] && [ ! -e written ] || exit 0
dd if=new of=disk.img bs=1M conv=notrunc status=none
touch written'
refused 3 'is being opened by another program' \
	before-call fcntl,fallocate "$write" dimgsetup compact disk.img
check "somebody wrote between two holes" [ -e written ]
check "it is all there, too" cmp new disk.img
cd "$TMP"
