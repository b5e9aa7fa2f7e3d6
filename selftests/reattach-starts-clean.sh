#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a device that takes over a number has nothing of the one before: not its
# read-only flag, block size, name, nor write-cache mode (A21, C8).
# Broken: loop's first attach after a read-only one.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 4M
attach disk.img
fresh=$(cd "/sys/block/${DEV#/dev/}" && grep -r . queue dimgblk ro size 2>/dev/null | sort)
detach "$DEV"
first=$DEV
attach -r -b 4096 --direct-io=off -o 4096 --name old --queue-depth 4 --queues 1 --auto-detach -P disk.img
check_equal "same number" "$first" "$DEV"
check "fsync of a read-only device" blkop -r "$DEV" fsync
detach "$DEV"
attach disk.img
again=$(cd "/sys/block/${DEV#/dev/}" && grep -r . queue dimgblk ro size 2>/dev/null | sort)
check_equal "every attribute as at first" "$fresh" "$again"
check_equal "write cache" "write back" "$(sysfs "$DEV" queue/write_cache)"
