#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The netlink fuzzer for as long as is wanted, in a guest that is thrown away:
#
#   vm/run --kernel debug --disk 256M --disk 64M --timeout 36000 -- \
#       selftests/campaigns/fuzz.sh MESSAGES [SEED]
#
# Prints the seed, what was answered, and a verdict line "fuzz: ..."; exit status 0
# only if nothing was found and enough was reached (helpers/fuzz-verdict.h). udevd
# rests: it looks at each device, which is slow and hides races of the last close.
. "$(dirname "$0")/../lib/dimgblk.sh"
. "$SELFTESTS/lib/fuzz.sh"

[[ ${1:-} =~ ^[1-9][0-9]*$ ]] || die "usage: $0 MESSAGES [SEED]"
FUZZ_SEED=${2:-$SRANDOM}
scratch_disk 2
block_device=$DISK
scratch_fs ext4
mkdir "$MNT/fuzz"
cd "$MNT/fuzz" || exit
udevadm control --exit
wait_for 10 eval '! pgrep -x systemd-udevd' || die "udevd does not end"
rm -f /run/udev/control

start=$SECONDS
status=0
fuzz "$1" 1000 "$block_device" || status=$?
note "$1 messages in $((SECONDS - start)) s, seed $FUZZ_SEED, status $status"
[ $status = 0 ] || fail "the fuzzer found something, or proved nothing"
detach "$DEV"
check "nothing is left" nothing_attached
cd "$TMP" || exit
check "the file system is free" umount "$MNT"
check "the module is free" modprobe -r dimgblk
