#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: only CAP_SYS_ADMIN in the initial user namespace may join the group of
# events (N2).
# Broken: every user watches which devices come and go.
. "$(dirname "$0")/lib/dimgblk.sh"

check "root may" nl-send join
as_user=(setpriv --reuid 1000 --regid 1000 --clear-groups --)
for who in "user" "net-admin" "userns" "user+netns"; do
	case $who in
	user) cmd=("${as_user[@]}") ;;
	net-admin) cmd=(setpriv "--bounding-set=-all,+net_admin" --inh-caps=-all --) ;;
	userns) cmd=(unshare -Ur --) ;;
	user+netns) cmd=("${as_user[@]}" unshare -Urn --) ;;
	esac
	out=$("${cmd[@]}" nl-send join) || true
	check_match "$who may not" '^(EPERM|NOFAMILY)' "$out"
done
# Groups can be joined before there is a family, and then nobody is asked.
modprobe -r dimgblk || die "cannot unload the module"
for uid in 0 1000; do
	eavesdrop $uid 60 >"heard.$uid" &
	defer stop $!
	check "$uid listens" wait_for 10 grep -q listening "heard.$uid"
done
modprobe dimgblk
make_image disk.img 1M
attach disk.img
detach "$DEV"
heard_both() { [ "$(grep -c family heard.0)" = 2 ]; }
check "root hears of attach and detach" wait_for 5 heard_both
# Linux 6.1 sends to all of a group.
if grep -q ' netlink_broadcast_filtered' /proc/kallsyms; then
	check_equal "the user hears nothing" listening "$(cat heard.1000)"
fi
refused 5 'root|CAP_SYS_ADMIN|privilege' timeout 10 "${as_user[@]}" dimgsetup monitor
