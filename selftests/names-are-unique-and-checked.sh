#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: a device's name is unique, made of harmless characters, never looks like
# a node, and finds the device in every command.
# Broken: two devices of one name, or a name that is a path or an option.
. "$(dirname "$0")/lib/dimgblk.sh"

for i in 1 2; do make_image $i.img 1M $i; done
attach --name web.disk-1 1.img
check_equal "in sysfs" web.disk-1 "$(sysfs "$DEV" dimgblk/name)"
check_match "show finds it" "$DEV" "$(dimgsetup show web.disk-1)"
refused 3 'name is taken' dimgsetup attach --name web.disk-1 2.img
refused 1 'link of a partition' dimgsetup attach --name web-part2 2.img
kernel_refuses EEXIST nl-send attach backing-fd=9 name=web.disk-1 9<>2.img

long=$(printf 'a%.0s' {1..63})
for bad in . .hidden -dash a/b 'a b' $'a\nb' 'ä' dimgblk0 dimgblk12 'a$' "${long}b"; do
	kernel_refuses 'EINVAL|ERANGE' nl-send attach backing-fd=9 "name=str:$bad" 9<>2.img
done
attach --name "$long" 2.img
check_equal "63 characters" "$long" "$(sysfs "$DEV" dimgblk/name)"
check "detach by name" detach web.disk-1
attach --name web.disk-1 1.img
check_equal "the name is free again" web.disk-1 "$(sysfs "$DEV" dimgblk/name)"
