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
refused 5 'root|CAP_SYS_ADMIN|privilege' timeout 10 "${as_user[@]}" dimgsetup monitor
