#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: attach, detach and set want CAP_SYS_ADMIN in the initial user namespace;
# no user, no container with CAP_NET_ADMIN, no user namespace can change anything
# (N2, N9). Broken: GENL_ADMIN_PERM, which is CAP_NET_ADMIN, lets a container
# attach disks.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
chmod 666 disk.img
chmod 755 "$TMP"
attach disk.img
make_image other.img 1M
chmod 666 other.img
index=$(index_of "$DEV")
seq=$(sysfs "$DEV" diskseq)

# powerless NAME COMMAND...: COMMAND runs its arguments without the power.
powerless()
{
	local who=$1 out what
	shift
	for what in "attach backing-fd=9" "detach index=$index detach-mode=2" \
		"detach index=$index" "set index=$index resize" "set index=$index direct=0"; do
		# shellcheck disable=SC2086
		out=$("$@" nl-send $what 9<>other.img 2>&1) || true
		check_match "$who: $what" '^(EPERM: .{12,}|NOFAMILY)$' "$out"
	done
}

powerless "uid 1000" setpriv --reuid 1000 --regid 1000 --clear-groups --
powerless "root with CAP_NET_ADMIN only" setpriv --bounding-set=-all,+net_admin --inh-caps=-all --
powerless "root with all but CAP_SYS_ADMIN" setpriv --bounding-set=-sys_admin --inh-caps=-all --
powerless "root of a user namespace" unshare -Ur --
powerless "root of a user and net namespace" unshare -Urn --
powerless "root of another net namespace" unshare -n --
powerless "user's user namespace" setpriv --reuid 1000 --regid 1000 --clear-groups -- unshare -Ur --
check_equal "the device is the same" "$seq" "$(sysfs "$DEV" diskseq)"
check_equal "and alone" "$DEV" "$(compgen -G '/dev/dimgblk*')"
refused 5 'root|CAP_SYS_ADMIN|privilege' setpriv --bounding-set=-sys_admin --inh-caps=-all -- \
	dimgsetup attach other.img
