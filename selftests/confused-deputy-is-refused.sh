#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: both the opener of the socket and the sender need the power: a socket
# opened by a user and written to by a privileged program does nothing (N1).
# Broken: a setuid program that prints what a user asks for attaches disks.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
kernel_refuses EPERM nl-send -o 1000 attach backing-fd=9 9<>disk.img
kernel_refuses EPERM nl-send -s 1000 attach backing-fd=9 9<>disk.img
attach disk.img
index=$(index_of "$DEV")
for who in "-o 1000" "-s 1000"; do
	# shellcheck disable=SC2086
	kernel_refuses EPERM nl-send $who detach index="$index"
	# shellcheck disable=SC2086
	kernel_refuses EPERM nl-send $who set index="$index" resize
done
check "root by itself may" nl-send set index="$index" direct=0
