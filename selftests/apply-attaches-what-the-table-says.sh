#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 64M
# Claim: "apply" attaches the devices of a table that are missing and nothing else,
# tells what is attached otherwise, checks all before it begins, and undoes it.
# Broken: a device twice, a table applied by half, other bytes under a known name.
. "$(dirname "$0")/lib/dimgblk.sh"

scratch_fs ext4
make_image "$MNT/a.img" 1M 1
make_image "$MNT/b c.img" 2M 2
make_image "$MNT/part.img" 4M 3
make_image "$MNT/off.img" 1M 4
echo 'start=2048, size=2048' | sfdisk -q --label dos "$MNT/part.img" >/dev/null

cat >tab <<T
# four devices, one of them on demand
a     $MNT/a.img
b-c   $MNT/b\\040c.img  offset=64K,sizelimit=1M,ro,queue-depth=32
part  $MNT/part.img     partscan,follow   # the whole
off   $MNT/off.img      noauto
T
apply() { dimgsetup apply --file "$TMP/tab" "$@"; }
defer apply --detach
attached() { dimgsetup list --noheadings --raw -o REF | sort | paste -sd' '; }
diskseq_of() { dimgsetup list --noheadings --raw -o REF,DISKSEQ | sort; }

# Without the module nothing is attached, and looking does not load it.
rmmod dimgblk
check_equal "a dry run says what it would do" \
	"would attach a $MNT/a.img;would attach b-c $MNT/b c.img;would attach part $MNT/part.img" \
	"$(apply --dry-run | paste -sd';')"
check "and has nothing to detach" apply --detach
check_fails "the module is not loaded for that" test -d /sys/module/dimgblk
out=$(apply)
check_equal "a line for each device" \
	"attached a /dev/dimgblk0;attached b-c /dev/dimgblk1;attached part /dev/dimgblk2" \
	"$(paste -sd';' <<<"$out")"
check_equal "their names" "a b-c part" "$(attached)"
check_equal "offset" 65536 "$(sysfs dimgblk1 dimgblk/offset)"
check_equal "size" 2048 "$(sysfs dimgblk1 size)"
check_equal "read-only" 1 "$(sysfs dimgblk1 ro)"
check "the bytes of the image" cmp -n 1048576 -i 65536:0 "$MNT/b c.img" /dev/dimgblk1
check "the partition is there" test -b /dev/dimgblk2p1
if [ -d /run/udev ]; then
	check_equal "the link by name" /dev/dimgblk1 "$(readlink -f /dev/disk/by-dimg-name/b-c)"
fi

before=$(diskseq_of)
check_equal "once more: nothing to do" "" "$(apply)"
check_equal "dry: nothing to do" "" "$(apply --dry-run)"
check_match "verbose says so" "b-c: is attached already, /dev/dimgblk1" "$(apply -v 2>&1)"
check_equal "the devices are the same ones" "$before" "$(diskseq_of)"

check_equal "a noauto device is attached by name" "attached off /dev/dimgblk3" "$(apply off)"
detach a
check_equal "what is missing comes back, alone" "attached a /dev/dimgblk0" "$(apply)"

# What differs is told and left alone.
cp tab good
sed -i "s/offset=64K,sizelimit=1M,ro/offset=128K,partscan/; s/b-c.*/&,index=9/" tab
before=$(diskseq_of)
refused 4 'tab:3: its offset is 65536, the table says 131072' apply
for word in 'its size limit is 1048576, the table says 0' 'with --read-only' \
	'without --partscan' 'its index is 1, the table says 9' \
	'.* nothing is changed'; do
	check_match "told: $word" "tab:3: .*$word" "$(cat .stderr)"
done
check_equal "nothing was changed" "$before" "$(diskseq_of)"
sed "s,^a .*,a $MNT/off.img ro,; /^off/d" good >tab
refused 4 "a.img, the table says $MNT/off.img" apply a
refused 4 'the name of another image' apply --detach a
check_equal "and it stays" "$before" "$(diskseq_of)"

# Reverse order, busy devices, what is not there.
cp good tab
refused 2 'is not in' apply nobody
mkdir mnt2
mkfs.ext2 -q -F /dev/dimgblk0
mount_at /dev/dimgblk0 "$TMP/mnt2"
check_equal "dry: last line first" \
	"would detach off /dev/dimgblk3;would detach part /dev/dimgblk2;would detach b-c /dev/dimgblk1;would detach a /dev/dimgblk0" \
	"$(apply --detach --dry-run | paste -sd';')"
status=0
out=$(apply --detach 2>err) || status=$?
check_equal "a device in use stays, the others go" \
	"3 detached off /dev/dimgblk3;detached part /dev/dimgblk2;detached b-c /dev/dimgblk1" \
	"$status $(paste -sd';' <<<"$out")"
check_match "its user is named" "mounted on $TMP/mnt2" "$(cat err)"
dimgsetup apply --file tab --detach --wait 60 a >wait.out &
waiter=$!
check "the other one waits for its user" wait_for 20 grep -q dimgsetup /proc/$waiter/comm
umount mnt2
check_child "and detaches then" $waiter
check_equal "it says so" "detached a /dev/dimgblk0" "$(cat wait.out)"
mount_at_once() { apply a >/dev/null && mount /dev/dimgblk0 mnt2; }
check "mounted again" mount_at_once
check "lazy, after a moment of waiting" apply --detach --wait 1 --lazy a
check "it is still there" is_attached dimgblk0
umount mnt2
check "and goes with its user" wait_for 10 is_gone /dev/dimgblk0
check "mounted once more" mount_at_once
dimgsetup apply -v --file tab --detach --wait 60 --lazy a >wait.out 2>wait.err &
waiter=$!
check "it waits" wait_for 20 grep -q 'is in use; waiting' wait.err
dimgsetup detach --lazy a 2>/dev/null
umount mnt2
check_child "that it goes by itself meanwhile is no failure" $waiter

# A new file under the path: the line says the old one's device still.
apply a >/dev/null
cp "$MNT/a.img" "$MNT/new.img"
mv "$MNT/new.img" "$MNT/a.img"
check_match "a replaced image is detached" '^detached a ' "$(apply --detach a)"
check_equal "all is gone" "" "$(attached)"

# Wrong tables: checked as a whole, before anything is done.
cat >tab <<T
a     $MNT/a.img
a     $MNT/off.img
b     $MNT/a.img
c     $MNT/part.img  frobnicate
d     part.img
e     $MNT/off.img
T
refused 1 'nothing is done: 6 of its lines are wrong' apply
for words in 'tab:2: the name "a" is taken by line 1' 'tab:3: "b" and line 1 share bytes' \
	'tab:4: .*no option "frobnicate"' 'tab:5: the image "part.img" is no absolute path' \
	'tab:6: "e" and line 2 share bytes'; do
	check_match "told: $words" "$words" "$(cat .stderr)"
done
refused 1 'its line in .* is wrong' apply c
check_equal "nothing was attached" "" "$(attached)"
refused 2 'the table cannot be read' dimgsetup apply --file "$TMP/none"
refused 1 'belong to --detach' apply --lazy

# A failure is no reason not to go on; nofail keeps it from counting.
cat >tab <<T
x     $MNT/none.img  nofail
a     $MNT/a.img
y     $MNT/gone.img
off   $MNT/off.img
T
status=0
apply >/dev/null 2>err || status=$?
check_equal "the first failure that counts" 2 $status
check_match "the place is told" "tab:3: $MNT/gone.img: .*No such file" "$(cat err)"
check_match "nofail, too" "tab:1: x: this does not count" "$(cat err)"
check_equal "the others are attached" "a off" "$(attached)"
sed -i '/^y/d' tab
check "with nofail alone the status is 0" apply
refused 2 'none.img' apply x

# At shutdown those of the table are left to their services.
[ -e /etc/dimgtab ] || touch /etc/dimgtab
mount --bind tab /etc/dimgtab
defer umount /etc/dimgtab
attach --name other "$MNT/part.img"
attach "$MNT/b c.img"
check "detach --all --except-table" dimgsetup detach --all --except-table
check_equal "leaves what the table names" "a off" "$(attached)"
check "detached" apply --detach
