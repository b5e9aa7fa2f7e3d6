# SPDX-License-Identifier: GPL-2.0
# For tests that reboot the machine: they are called again after each boot, with
# VM_BOOT = 1, 2, ... and what is on the disks as they left it. "vm/run --init
# systemd" does that; anywhere else they are skipped. Sourced after dimgblk.sh.
# shellcheck shell=bash

[ -n "${VM_BOOT:-}" ] || skip "reboots the machine, which only a guest of vm/check may"
[ -d /run/systemd/system ] || skip "systemd does not run here"

# reboot_guest: the script ends here; it is called again after the reboot. One that
# has failed already ends for good.
reboot_guest()
{
	[ -z "$KTAP_FAILED" ] || exit 1
	note "---- reboot after boot $VM_BOOT"
	cd /
	run_deferred
	[ -z "$KTAP_FAILED" ] || exit 1
	trap - EXIT
	touch /run/vm-reboot
	exit 0
}
