#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# timeout: 120
# Claim: an image whose storage hangs does not keep "detach --all" from the others, and
# while its detach waits it is no device any more: what would use it is refused, what
# wants it gone waits (promise 10).
# Broken: at shutdown one dead server keeps all images from being written out; a unit
# is "active" whose device goes a moment later.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/liar.sh"

is_listed() { dimgsetup list -n --raw -o REF,STATE | grep -qx 'hung detaching'; }

make_image good.img 1M
attach good.img
good=$DEV
liar_mount 2M
echo "hung $TMP/lies/image" >tab
apply() { dimgsetup apply --file "$TMP/tab" "$@"; }
DEV=$(apply | sed 's/.* //')
check "attached by the table" test -b "$DEV"
defer forget_device "$DEV" "$(sysfs "$DEV" diskseq)"
defer truth_only
udevadm settle
blkop -d "$DEV" write:0:64K:1
answers "fsync stall"

dimgsetup detach --all >out 2>&1 &
all=$!
check "the other one is detached" wait_for 25 is_gone "$good"
check "the hung one is waited for" kill -0 $all
check "and listed" wait_for 5 is_listed
refused 3 'being detached' apply hung
refused 2 'being detached' dimgsetup compact "$DEV"
apply --detach hung >out2 2>&1 &
waiter=$!
check_fails "who wants it gone waits" wait_for 3 sh -c "! kill -0 $waiter"
truth_only
check_child "and hears of the end" $waiter
wait $all || note "$(cat out)"
check "all is gone" wait_for 10 is_gone "$DEV"
