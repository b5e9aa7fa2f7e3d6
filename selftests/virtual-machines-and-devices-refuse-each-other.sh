#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: an attached image is locked as QEMU does it: a writable device and a
# program that locks like QEMU refuse each other, whoever was first, naming the
# program; readers go together; the locks last as long as the device and go with
# it; devices on one file do not disturb each other; --no-lock switches it off.
# Broken: a virtual machine and a device write to one image; locks that stay.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command qemu-io qemu-img

vm_write() { qemu-io -f raw -c 'write 0 4k' "$1"; }
vm_read() { qemu-io -r -f raw -c 'read 0 4k' "$1"; }
# Converting denies others the writing, reading alone does not.
vm_convert() { qemu-img convert -f raw -O raw "$1" copy.img; }
locks() { grep -c ":$(stat -c %i "$1") " /proc/locks || true; }

# qemu_holds OPTION...: a qemu-io that has disk.img open until let_go.
qemu_holds()
{
	mkfifo hold
	qemu-io "$@" -f raw disk.img <hold >/dev/null 2>&1 &
	QEMU=$!
	exec 9>hold
	rm hold
	wait_for 20 sh -c "grep -q ':$(stat -c %i disk.img) ' /proc/locks"
}

let_go()
{
	exec 9>&-
	wait $QEMU || true
}

make_image disk.img 8M

# the device first
attach disk.img
check_fails "writable: QEMU may not write" vm_write disk.img
check_fails "... nor rely on bytes that do not change" vm_convert disk.img
check "... but read" vm_read disk.img
check "info" qemu-img info -f raw disk.img
check "the tool that attached is gone" sh -c "! pgrep -x dimgsetup"
detach "$DEV"
check_equal "no lock is left" 0 "$(locks disk.img)"
check "detached: QEMU may write" vm_write disk.img

attach -r disk.img
FIRST=$DEV
attach -r disk.img
check "two read-only devices and a reader" vm_convert disk.img
check_fails "read-only: QEMU may not write" vm_write disk.img
detach "$FIRST"
check_fails "... as long as one is left" vm_write disk.img
detach "$DEV"
check "detached: QEMU may write" vm_write disk.img

# QEMU first
qemu_holds
refused 4 "writes to the image" dimgsetup attach disk.img
refused 4 "qemu-io \\(pid $QEMU\\)" dimgsetup attach -r disk.img
check "a refusal leaves no lock" test "$(locks disk.img)" = 1
attach --no-lock disk.img
check_equal "--no-lock takes none" 1 "$(locks disk.img)"
detach "$DEV"
let_go
qemu_holds -r
attach -r disk.img
detach "$DEV"
let_go

# devices on one file: the kernel judges
attach --sizelimit 1M disk.img
FIRST=$DEV
attach -o 1M --sizelimit 1M disk.img
check_fails "two windows: QEMU may not write" vm_write disk.img
refused 4 'overlap|dimgblk' dimgsetup attach --sizelimit 2M disk.img
attach --allow-overlap --sizelimit 2M disk.img
detach "$DEV"
detach "$FIRST"
check_fails "one window left: still locked" vm_write disk.img
detach --all disk.img
check "none left: free" vm_write disk.img

# a forced and a killed end
attach disk.img
detach --force "$DEV"
check "forced: free" vm_write disk.img
attach --auto-detach disk.img
exec 8<>"$DEV"
detach --lazy "$DEV"
check_fails "lazy, still open: locked" vm_write disk.img
exec 8>&-
check "closed: free" wait_for 20 vm_write disk.img
check "nothing is attached" wait_for 20 nothing_attached
