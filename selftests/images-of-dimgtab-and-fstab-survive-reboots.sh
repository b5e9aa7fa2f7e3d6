#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-systemd: yes
# requires-disk: 128M
# timeout: 60
# Claim: images of /etc/dimgtab and /etc/fstab are there after a reboot, by name, UUID,
# label and type, also one inside of another; each shutdown leaves images and the file
# system below them clean; an image that is missing is told, or stops the boot.
# Broken: a machine that comes up without its data, or that recovers journals at each
# boot because something was cut off at shutdown.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/systemd.sh"

LOWER=/dev/disk/by-id/virtio-disk1
KINDS=(name uuid label inner type)
UUID=0a3407de-014b-458b-b5c1-848e92a327a3

# image FILE SIZE [mkfs option]...: ext4 with a file that says which one it is
image()
{
	local file=$1 size=$2
	shift 2
	rm -rf content
	mkdir content
	echo "hello ${file##*/}" >content/hello
	[ ! -e inner.img ] || [[ $file != */name.img ]] || mv inner.img content/
	truncate -s "$size" "$file"
	mkfs.ext4 -q -F -d content "$@" "$file"
}

contents()
{
	local kind
	for kind in "${KINDS[@]}"; do
		cat "/mnt/$kind/hello"
		[ ! -e "/mnt/$kind/boot" ] || cat "/mnt/$kind/boot"
	done | paste -sd' '
}

# What mount, fsck and kernel said about journals in this boot, of the disk and of
# our devices: not of the disk under the root.
recoveries()
{
	dmesg | grep -E '\((vdb|dimgblk[0-9]+)\): .*(recover|orphan|error|unclean)' || true
	journalctl -b --no-pager -o cat -u 'systemd-fsck@*' | grep -iE 'recover|unclean|corrupt' || true
}

failed_units() { systemctl list-units --failed --plain --no-legend | awk '{ print $1 }' | paste -sd' '; }

boot_1()
{
	local kind
	mkfs.ext4 -q -F "$LOWER"
	mount "$LOWER" /srv
	mkdir "/srv/my images"
	image inner.img 6M
	image "/srv/my images/name.img" 16M
	image /srv/uuid.img 6M -U $UUID
	image /srv/label.img 6M -L my-label
	image /srv/type.img 6M
	truncate -s 1M /srv/later.img
	cat >/etc/dimgtab <<-T
	my-name  /srv/my\\040images/name.img
	uuid     /srv/uuid.img   direct-io=auto
	label    /srv/label.img  partscan
	inner    /mnt/name/inner.img
	later    /srv/later.img  noauto,ro
	T
	for kind in "${KINDS[@]}"; do
		mkdir -p "/mnt/$kind"
	done
	cat >>/etc/fstab <<-T
	$LOWER /srv ext4 defaults 0 2
	/dev/disk/by-dimg-name/my-name /mnt/name ext4 defaults 0 2
	UUID=$UUID /mnt/uuid ext4 defaults 0 0
	LABEL=my-label /mnt/label ext4 defaults 0 0
	/dev/disk/by-dimg-name/inner /mnt/inner ext4 defaults 0 0
	/srv/type.img /mnt/type dimg defaults 0 0
	T
	umount /srv
	systemctl daemon-reload
	check_equal "systemd has nothing to say about the units" "" \
		"$(systemd-analyze verify --man=no dimgsetup.target /run/systemd/generator/dimgsetup@*.service 2>&1 |
			grep -i dimg)"
	check_match "a mount by name needs the service" 'dimgsetup@my.+x2dname.service' \
		"$(systemctl show -p Requires 'dev-disk-by\x2ddimg\x2dname-my\x2dname.device')"
	reboot_guest
}

all_there()
{
	local kind
	check_equal "the boot went through" "" "${VM_EMERGENCY:-}"
	check_equal "what lies on the images" "$1" "$(contents)"
	check_equal "no journal had to be recovered" "" "$(recoveries)"
	for kind in my-name:name uuid:uuid label:label inner:inner; do
		check_equal "$kind is mounted from its device" \
			"$(readlink -f "/dev/disk/by-dimg-name/${kind%:*}")" \
			"$(findmnt -n -o SOURCE "/mnt/${kind#*:}")"
	done
	check_match "the image of type dimg, too" '^/dev/dimgblk[0-9]+$' \
		"$(findmnt -n -o SOURCE /mnt/type)"
	check_equal "the options of the table" 1 \
		"$(sysfs "$(findmnt -n -o SOURCE /mnt/label)" dimgblk/partscan)"
	check_fails "noauto is not attached" test -e /dev/disk/by-dimg-name/later
	check_equal "the table agrees" "" "$(dimgsetup apply)"
}

boot_2()
{
	all_there "hello name.img hello uuid.img hello label.img hello inner.img hello type.img"
	check_equal "no unit has failed" "" "$(failed_units)"
	check "noauto is attached when its service is started" systemctl start dimgsetup@later
	check "it is there" test -b /dev/disk/by-dimg-name/later
	check "and stopped" systemctl stop dimgsetup@later
	check_fails "it is gone" test -e /dev/disk/by-dimg-name/later
	dimgsetup apply later >/dev/null
	check "attached by hand, its service takes it over" \
		wait_for 20 systemctl is-active --quiet dimgsetup@later
	# Left to the shutdown to write out.
	for kind in "${KINDS[@]}"; do
		echo "written" >"/mnt/$kind/boot"
	done
	# Devices that systemd does not know from the table, one in use.
	truncate -s 6M /srv/idle.img /srv/used.img
	dimgsetup attach /srv/idle.img >/dev/null
	DEV=$(dimgsetup attach /srv/used.img)
	mkfs.ext4 -q "$DEV"
	mkdir -p /mnt/used
	mount "$DEV" /mnt/used
	echo used >/mnt/used/hello
	echo "lost /srv/lost.img nofail" >>/etc/dimgtab
	reboot_guest
}

boot_3()
{
	all_there "hello name.img written hello uuid.img written hello label.img written hello inner.img written hello type.img written"
	check_equal "the image that is missing, and only that, has failed" \
		"dimgsetup@lost.service" "$(failed_units)"
	check_match "the journal says why" 'dimgtab:6: /srv/lost.img: .*No such file' \
		"$(journalctl -b --no-pager -o cat -u dimgsetup@lost)"
	dimgsetup attach /srv/used.img --name used >/dev/null
	mount /dev/disk/by-dimg-name/used /mnt/used
	check_equal "what was attached by hand is complete, too" used "$(cat /mnt/used/hello)"
	check_equal "and clean" "" "$(recoveries)"
	echo "gone /srv/gone.img" >>/etc/dimgtab
	echo "this is wrong" >>/etc/dimgtab
	reboot_guest
}

boot_4()
{
	local seconds
	read -r seconds _ </proc/uptime
	check_equal "the boot ended in emergency mode" 1 "${VM_EMERGENCY:-}"
	check "in bounded time, $seconds s" test "${seconds%.*}" -lt 120
	check_match "local-fs.target was not reached" 'inactive|failed' \
		"$(systemctl is-active local-fs.target)"
	check_match "the image is named" 'dimgtab:7: /srv/gone.img: .*No such file' \
		"$(journalctl -b --no-pager -o cat -u dimgsetup@gone)"
	check_match "so is the line that is wrong" 'dimgtab:8: the image "is" is no absolute path' \
		"$(journalctl -b --no-pager -o cat)"
	check "the others are attached" wait_for 20 test -b /dev/disk/by-dimg-name/my-name
	check_equal "no journal had to be recovered" "" "$(recoveries)"
}

"boot_$VM_BOOT"
