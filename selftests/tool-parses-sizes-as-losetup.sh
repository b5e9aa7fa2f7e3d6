#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: sizes are bytes, K KiB M MiB (1024) or KB MB (1000); overflow, signs and
# garbage are usage errors.
# Broken: 1KB taken for 1024, or 2^64 for 0.
. "$(dirname "$0")/lib/dimgblk.sh"

truncate -s 600M disk.img
limit()
{
	attach -r --direct-io=off --sizelimit "$1" disk.img
	check_equal "$1" "$2" "$(sysfs "$DEV" dimgblk/sizelimit)"
	detach "$DEV"
}

limit 1024 1024
limit 0x400 1024
limit 4K 4096
limit 4KiB 4096
limit 512KB 512000
limit 3M 3145728
limit 64MB 64000000
limit 1G 1073741824
for bad in 1X 1.5.2M -512 +-1 "" " " 4KK 18446744073709551616 16EiB 99999999T K 0x; do
	refused 1 '.{10,}' dimgsetup attach -r --sizelimit "$bad" disk.img
done
check "nothing came into being" nothing_attached
