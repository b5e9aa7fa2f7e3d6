#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: every subset of a command's attributes that lacks the required one is
# refused (N3, CVE-2016-4951).
# Broken: a NULL attribute is read; an oops for anyone who may send.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
check "all subsets" nl-malformed missing 9 9<>disk.img
kernel_refuses EINVAL nl-send attach
kernel_refuses EINVAL nl-send detach
kernel_refuses EINVAL nl-send get
kernel_refuses EINVAL nl-send set resize
check "nothing came into being" nothing_attached
attach disk.img
kernel_refuses EINVAL nl-send set index="$(index_of "$DEV")"
