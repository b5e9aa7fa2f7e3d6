#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: attach --with attaches the image while a command runs, gives it the node,
# passes signals on and ends with its status; then the device is gone and the image
# whole. A device still in use is told, left to its last close, and exit is 3.
# Broken: a device that stays, a status that lies, a lost signal.
. "$(dirname "$0")/lib/dimgblk.sh"

# status WANTED COMMAND...
status()
{
	local got=0 want=$1
	shift
	"$@" >out 2>&1 || got=$?
	check_equal "$*" "$want" $got
	check "nothing is attached" nothing_attached
}

with() { dimgsetup attach "${OPTIONS[@]}" --with disk.img -- "$@"; }

OPTIONS=()
make_image disk.img 4M
# shellcheck disable=SC2016
status 0 with sh -c 'test -b "$DIMG_DEVICE" && test {} = "$DIMG_DEVICE" && echo "x{}p1"'
check_match "the node is put in" '^x/dev/dimgblk[0-9]+p1$' "$(cat out)"
check_equal "only the command prints" 1 "$(wc -l <out)"
OPTIONS=(-r -o 1M)
status 0 with sh -c 'blockdev --getro --getsize64 {} >values'
check_equal "with the options" "1 $((3 << 20))" "$(xargs <values)"
status 0 with cmp -n $((3 << 20)) -i 1M:0 disk.img {}
OPTIONS=()
status 42 with sh -c 'exit 42'
status 137 with sh -c 'kill -9 $$'
status 127 with nosuch-command
status 126 with "$TMP"
status 0 with dimgsetup detach {}
refused 2 nosuch dimgsetup attach --with nosuch.img -- true
refused 1 'COMMAND' dimgsetup attach --with disk.img
refused 1 '"--"' dimgsetup attach --with disk.img true
refused 1 'one IMAGE' dimgsetup attach --with disk.img more.img -- true
refused 1 'one IMAGE' dimgsetup attach --with -- disk.img true
refused 1 'json' dimgsetup attach --json --with disk.img -- true
refused 1 'auto-detach' dimgsetup attach --auto-detach --with disk.img -- true

# what was written is in the image when the tool returns
cp disk.img model.img
blkop model.img write:1M:1M:9
status 0 with blkop {} write:1M:1M:9
check "the image has it" cmp model.img disk.img

# signals: the command sees them, and decides
for sig in INT TERM HUP; do
	rm -f ready
	with bash -c "trap 'exit 33' $sig; touch ready; while :; do read -rt 1 <> <(:) || :; done" &
	wait_for 20 test -e ready
	pkill -$sig -x dimgsetup
	got=0
	wait_for 20 sh -c "! pgrep -x dimgsetup" || pkill -KILL -f 'touch ready'
	wait $! || got=$?
	check_equal "SIG$sig reaches the command" 33 $got
	check "nothing is attached" nothing_attached
done

# still in use: told, left lazily
mkfifo hold
got=0
with sh -c 'exec 9<{}; sleep 1000 >/dev/null 2>&1 & echo $! >pid' 2>err || got=$?
check_equal "still in use" 3 $got
check_match "by whom" "sleep.*$(cat pid)|$(cat pid).*sleep" "$(cat err)"
check_match "and what becomes of it" 'last close' "$(cat err)"
check "it is there" test -b /dev/dimgblk0
kill "$(cat pid)"
check "until the last close" wait_for 20 nothing_attached
