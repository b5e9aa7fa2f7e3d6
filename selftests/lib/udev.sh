# SPDX-License-Identifier: GPL-2.0
# udev held still, and let go. Sourced by tests and campaigns; needs nothing else.
# shellcheck shell=bash

# systemd-udevd 257 loses a control message now and then, which udevadm calls a success
# (4 of 150 on the debug kernel; none of 300 on the stock one). Lost twice in a row is
# rare, and said twice does no harm.
udev_stands_still()
{
	udevadm settle --timeout=60 &&
		udevadm control --stop-exec-queue &&
		udevadm control --stop-exec-queue
}

# udev_goes_on: and has caught up when this returns. It may have thousands of events to
# read before it reads what it is told. Fails if it stands still after all.
udev_goes_on()
{
	local try
	for try in 1 2 3 4; do
		udevadm control --start-exec-queue || :
		! udevadm settle --timeout=$((try * 15)) 2>/dev/null || return 0
	done
	echo "udev does not go on"
	return 1
}
