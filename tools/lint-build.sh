#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Builds everything in the root of one kernel, with that distribution's own
# compiler and headers and all warnings on, and prints what the compilers and
# sparse say.  Owns a scratch copy of the sources, so neither the checkout nor
# the builds of vm/ are touched.  Then tries `make install` and `uninstall`
# there: the second must leave nothing of the first.
#
# usage: lint-build.sh LABEL    exit 1 and text if there is a finding

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
VM_DIR=$top/vm
# shellcheck source=vm/lib.sh
. "$VM_DIR/lib.sh"

# inside ROOT KVER SOURCES: the part that needs the mount namespace.
inside()
{
	root=$1 kver=$2 sources=$3
	mkdir -p "$root/opt/dimgblk"
	mount --bind "$root" "$root"
	mount -o remount,bind,ro "$root"
	# objtool reads its stack limit there.
	mount -t proc proc "$root/proc"
	mount --rbind /dev "$root/dev"
	mount -t tmpfs tmpfs "$root/tmp"
	mount --bind "$sources" "$root/opt/dimgblk"
	# shellcheck disable=SC2016 # expanded by the shell inside
	exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp \
		LC_ALL=C sh -eu -c '
	cd /opt/dimgblk
	k="KDIR=/lib/modules/$1/build"
	# KBUILD_CHECKSRC is what C=2 sets, unless a script that Debian leaves out of
	# its headers approves of the checker.
	make -s -j2 "$k" W=1 C=2 KBUILD_CHECKSRC=2 CHECK=/opt/dimgblk/sparse module
	[ -e /tmp/sparse-ran ] || { echo "error: sparse did not run"; exit 1; }
	# In the environment, where the makefiles can add to it.
	CFLAGS="-O2 -Wall -Wextra -Wformat=2 -Wshadow -Werror" \
		make -s -j2 "$k" tool helpers
	make -s "$k" DESTDIR=/tmp/installed install
	cd /tmp/installed
	for file in lib/modules/"$1"/updates/dimgblk.ko* usr/sbin/dimgsetup \
		usr/include/linux/dimgblk.h usr/share/man/man8/dimgsetup.8*; do
		[ -s "$file" ] || { echo "error: make install: no $file"; exit 1; }
	done
	make -s -C /opt/dimgblk "$k" DESTDIR=/tmp/installed uninstall
	# kbuild copies the indices that go with the modules; they are not ours.
	left=$(find . -type f ! -path "./lib/modules/*/modules.*")
	[ -z "$left" ] || { echo "error: make uninstall leaves:" $left; exit 1; }
	' sh "$kver"
}

if [ "${1:-}" = --inside ]; then
	shift
	inside "$@"
fi

label=$1
mkdir -p "$CACHE/lint"
scratch=$(mktemp -d "$CACHE/lint/$label-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
# That it waits, or what it makes, is no finding; only why there is no root is.
place=$("$VM_DIR/fetch" "$label" 2>"$scratch/log") || {
	cat "$scratch/log" >&2
	exit 1
}
# shellcheck disable=SC2086 # three words: label, directory, kernel version
set -- $place
dir=$2 kver=$3
mkdir "$scratch/sources"
# Nothing that a make in the checkout left: it would not be compiled again.
(cd "$top" && tar -cf - --exclude='*.[oad]' --exclude='*.ko' --exclude='*.cmd' \
	--exclude='*.mod' --exclude='*.mod.c' --exclude='*.order' \
	--exclude='Module.symvers' --exclude='kmod/compat/config.h' \
	Kbuild Makefile kmod uapi tools selftests) |
	tar -xf - -C "$scratch/sources"
find "$scratch/sources" -type f -perm -u=x | while read -r file; do
	[ "$(head -c 4 "$file" | tail -c 3)" != ELF ] || rm "$file"
done

# The sparse of Debian 13 lags behind the headers of 7.3, which use a newer
# typeof and take the length of a string for a constant.
cat >"$scratch/sources/sparse.h" <<-'H'
	#define __typeof_unqual__ __typeof__
	#define __builtin_strlen(s) (sizeof(s) - 1)
	H
cat >"$scratch/sources/sparse" <<-'W'
	#!/bin/sh
	: >/tmp/sparse-ran
	exec sparse -include /opt/dimgblk/sparse.h "$@"
	W
chmod +x "$scratch/sources/sparse"

status=0
with_root "$0" --inside "$dir/root" "$kver" "$scratch/sources" \
	>"$scratch/log" 2>&1 || status=$?

# Neither errors of sparse nor warnings stop a build.
grep -E '(warning|error|WARNING|ERROR): |undefined reference' "$scratch/log" |
	sed "s|/opt/dimgblk/||" >"$scratch/findings" || :
if [ -s "$scratch/findings" ]; then
	cat "$scratch/findings"
	exit 1
fi
if [ "$status" -ne 0 ]; then
	tail -n 30 "$scratch/log"
	echo "building for kernel $label failed"
	exit 1
fi
