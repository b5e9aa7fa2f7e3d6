#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: what systemd is told of /etc/dimgtab: order, what must be there and what may
# be missing, and names that systemd understands, whatever is in them.
# Broken: a boot that waits for the wrong thing, or a line of the table that says
# something to systemd that its author never meant.
. "$(dirname "$0")/lib/dimgblk.sh"

generator=/usr/lib/systemd/system-generators/dimgsetup-generator
[ -x $generator ] || skip "dimgsetup-generator is not installed"
requires_command systemd-escape

cat >tab <<'T'
data    /srv/my\040"im%ages\134/d.img   partscan
a-b+c:d /opt.img                        nofail,x-systemd.requires=foo.service
man     /srv/man.img                    noauto,x-systemd.requires-mounts-for=/m\040n
net     /net/n.img                      _netdev,x-systemd.after=a.service,x-systemd.before=b.mount
disk    /dev/disk/by-id/x-y
shm     /dev/shm/x.img                  noauto
T
generate()
{
	rm -rf units
	mkdir units
	DIMGTAB=$TMP/tab $generator units units units 2>err
}
check "systemd calls the generator" generate
check_equal "it has nothing to say" "" "$(cat err)"

# Names as systemd writes them, asked for once each.
declare -A UNIT DEVICE
for name in data a-b+c:d man net disk shm nofail; do
	UNIT[$name]=units/dimgsetup@$(systemd-escape -- "$name").service
	DEVICE[$name]=$(systemd-escape --path "/dev/disk/by-dimg-name/$name")
done
says() { [[ $'\n'$(<"${UNIT[$1]}")$'\n' == *$'\n'"$2"$'\n'* ]]; }
has() { check "$1: $2" says "$1" "$2"; }
has_not() { check_fails "$1 has no $2" grep -q -- "$2" "${UNIT[$1]}"; }
goes_with() { check "$1 goes with $2" test -f "units/$2/${UNIT[$1]#units/}"; }

for name in data a-b+c:d man net disk; do
	has $name "ExecStart=/usr/sbin/dimgsetup apply -- $name"
	has $name "DefaultDependencies=no"
	has $name "TimeoutStartSec=90"
	has $name "Conflicts=umount.target"
	has $name "Before=umount.target"
	has $name "Before=blockdev@${DEVICE[$name]}.target"
	goes_with $name "${DEVICE[$name]}.device.requires"
done

has data 'RequiresMountsFor="/srv/my \"im%%ages\\"'
has data 'Before=dimgsetup.target'
goes_with data dimgsetup.target.requires
goes_with data "${DEVICE[data]}\x2dpart16.device.requires"
check "dimgsetup.target is needed" test -L units/local-fs.target.requires/dimgsetup.target

has a-b+c:d 'RequiresMountsFor="/"'
has a-b+c:d 'Requires=foo.service'
has a-b+c:d 'After=foo.service'
goes_with a-b+c:d dimgsetup.target.wants
has_not a-b+c:d 'Before=dimgsetup.target'

has man 'RequiresMountsFor="/m n"'
has_not man 'Before=dimgsetup.target'
check_equal "noauto comes with its node only" "units/${DEVICE[man]}.device.requires" \
	"$(dirname "$(find units -type l -name 'dimgsetup@man.*')")"

has net 'After=a.service'
has net 'Before=b.mount'
has net 'Before=remote-fs.target'
goes_with net remote-fs.target.requires

has disk 'BindsTo=dev-disk-by\x2did-x\x2dy.device'
has_not disk 'RequiresMountsFor'
has_not shm 'BindsTo'
has shm 'RequiresMountsFor="/dev/shm"'

# A wrong line is left out, and told.
printf 'bad /x frob\nnofail /y nofail\ninject /z x-systemd.after=a\\012ExecStart=b\n' >tab
status=0
generate || status=$?
check_equal "wrong lines are a failure" 1 $status
check_equal "the good one is there all the same" "${UNIT[nofail]}" "$(echo units/*.service)"
check_match "the first is told" 'tab:1: .*"frob"' "$(cat err)"
check_match "the other, too" 'tab:3: x-systemd.after' "$(cat err)"
check "with nofail only the boot does not depend on it" \
	test -L units/local-fs.target.wants/dimgsetup.target
# systemd leaves it no stderr.
rm -rf units
mkdir units
dmesg_mark
DIMGTAB=$TMP/tab $generator units units units 2>/dev/null || true
check_match "then the kernel's log has it" 'dimgsetup-generator: .*tab:1: .*"frob"' \
	"$(dmesg_since_mark)"

rm tab
check "no table is no failure" generate
check_equal "and no unit" "" "$(ls units)"
