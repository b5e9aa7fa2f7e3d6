#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Owns the step from Documentation/netlink/specs/dimgblk.yaml to the files
# generated from it: the uapi header, the policies and the op table.  They are
# made with the kernel's own generator, taken from the newest kernel's source
# package, and committed.
#
# usage: regen-netlink.sh [--check]
#   --check   change nothing; exit 1 if a committed file is not what the
#             generator makes of the spec

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
source=$("$top/tools/kernel-source.sh")
spec=Documentation/netlink/specs/dimgblk.yaml

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# The generator looks for its schema beside the folder of the spec and for a
# MAINTAINERS file above it (without one it never ends), so give it a tree.
mkdir -p "$scratch/Documentation/netlink/specs" "$scratch/raw"
cp "$source"/Documentation/netlink/*.yaml "$scratch/Documentation/netlink/"
cp "$top/$spec" "$scratch/$spec"
: > "$scratch/MAINTAINERS"

# generate MODE KIND OUTPUT: one file.  The generator's hint how to run it again
# names a script that we do not have.  Its table of multicast groups is left
# out: at this protocol level nothing refers to it and it cannot say that a
# group is for CAP_SYS_ADMIN only; kmod/netlink.c has the table.
generate() {
	timeout 120 python3 "$source/tools/net/ynl/pyynl/ynl_gen_c.py" \
		--spec "$scratch/$spec" --mode "$1" "--$2" -o "$scratch/raw/$3" \
		2>"$scratch/log" || {
		cat "$scratch/log" >&2
		echo "regen-netlink: the generator failed on $spec" >&2
		exit 1
	}
	sed -e 's|^/\* To regenerate run: .* \*/$|/* To regenerate run: make regen */|' \
	    -e '/genl_multicast_group dimgblk_nl_mcgrps/,/^};/d' \
	    "$scratch/raw/$3" | cat -s > "$scratch/$3"
}

generate uapi header dimgblk.h
generate kernel header netlink-gen.h
generate kernel source netlink-gen.c

stale=0
# place GENERATED COMMITTED
place() {
	if cmp -s "$scratch/$1" "$top/$2"; then
		return
	fi
	if [ "${check:-}" ]; then
		echo "$2: not what the generator makes of $spec: run make regen" >&2
		diff -u "$top/$2" "$scratch/$1" >&2 || true
		stale=1
	else
		cp "$scratch/$1" "$top/$2"
		echo "regenerated $2"
	fi
}

[ "${1:-}" = --check ] && check=1
place dimgblk.h uapi/linux/dimgblk.h
place netlink-gen.h kmod/netlink-gen.h
place netlink-gen.c kmod/netlink-gen.c
exit $stale
