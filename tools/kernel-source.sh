#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints the path of a tree with the developer's tools of the newest kernel we
# support: checkpatch, kernel-doc, the netlink code generator and its schemas.
# Owns that tree in the cache: takes it out of the distribution's linux-source
# package, which it downloads once with the machine's own apt.  The apt runs on
# private state, so the machine's list of sources does not change.  What is in
# the cache is used as it is: remove the directory to get a newer one.
#
# usage: kernel-source.sh

set -eu

top=$(cd "$(dirname "$0")/.." && pwd)
VM_DIR=$top/vm
# shellcheck source=vm/lib.sh
. "$VM_DIR/lib.sh"

# What is unpacked of the 1.5 GB.  The list is part of the tree's name, so that
# a longer one gets a new tree.
wanted=".clang-format scripts tools/net/ynl tools/docs tools/lib/python \
Documentation/netlink block fs/read_write.c fs/sync.c fs/open.c fs/iomap \
mm/filemap.c kernel/workqueue.c"

label=${KERNELS##* }
kernel_conf "$label"
tree=$CACHE/source/$label-$(printf '%s' "$wanted" | sha256sum | cut -c1-8)

# mirror: the archive that the machine's own apt gets its packages from, not
# its security updates, which have neither backports nor other suites.
mirror()
{
	# shellcheck disable=SC2016 # apt expands these, not the shell
	apt-get indextargets --format '$(SITE) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 2>/dev/null |
		awk '$2 !~ /security/ && $3 == "main" { print $1; exit }'
}

# other_apt COMMAND...: apt that sees SUITE of the mirror and nothing else, in
# the current directory.  All else (proxies, certificates) is the machine's.
other_apt()
{
	_tool=$1
	shift
	"$_tool" -o Dir::State="$PWD/apt" -o Dir::State::status="$PWD/apt/status" \
		-o Dir::Cache="$PWD/apt/cache" \
		-o Dir::Etc::sourcelist="$PWD/apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferencesparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null \
		-o APT::Sandbox::User="$(id -un)" \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 \
		-o Acquire::Languages=none -o Acquire::Retries=3 \
		-o APT::Get::List-Cleanup=false -qq "$@"
}

# download: leave the newest wanted linux-source package in the current
# directory and its name in $package.
download()
{
	keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -f "$keyring" ] ||
		die "$keyring is missing: install debian-archive-keyring"
	site=$(mirror)
	[ -n "$site" ] ||
		die "apt knows no Debian mirror: add one to /etc/apt/sources.list.d and run apt-get update"
	suite=${EXTRA_SUITE:-$SUITE}

	mkdir -p apt/lists/partial apt/cache/archives/partial
	: >apt/status
	echo "deb [signed-by=$keyring] $site $suite main" >apt/sources.list
	other_apt apt-get update >&2 ||
		die "apt cannot read $suite from the machine's mirror: see the message above"

	# The series we are named for; when the suite has moved on, its newest.
	package=linux-source-$SERIES
	if ! other_apt apt-cache show "$package" >/dev/null 2>&1; then
		package=$(other_apt apt-cache depends linux-source |
			sed -n 's/.*Depends: \(linux-source-[0-9.]*\)$/\1/p')
		[ -n "$package" ] || die "$suite has no linux-source package"
		say "$suite serves no linux-source-$SERIES any more: taking $package"
	fi
	say "downloading $package from $suite (about 160 MB)"
	other_apt apt-get download "$package" >&2 ||
		die "cannot download $package: see the message above"
}

# unpack: take what is wanted out of the package in the current directory.
unpack()
{
	say "unpacking $package (about a minute)"
	mkdir tree
	members=
	for member in $wanted; do
		members="$members $package/$member"
	done
	# shellcheck disable=SC2086 # one word per member is what we want
	dpkg-deb --fsys-tarfile "$package"_*.deb |
		tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ --no-same-owner -C tree --strip-components=1 $members
	# No pipefail in sh, so ask for a sign of the end of each.
	for member in scripts/checkpatch.pl tools/net/ynl/pyynl/ynl_gen_c.py \
		tools/lib/python/kdoc Documentation/netlink/genetlink-legacy.yaml; do
		[ -e "tree/$member" ] ||
			die "$package holds no $member, or the disk is full"
	done
}

if [ ! -d "$tree" ]; then
	for tool in xz flock dpkg-deb; do
		command -v "$tool" >/dev/null ||
			die "$tool is not installed: install xz-utils, util-linux and dpkg"
	done
	mkdir -p "$CACHE/source" "$CACHE/locks" ||
		die "cannot write to $CACHE: set DIMGBLK_CACHE to a directory you own"
	(
		flock 9
		# Another one may have made it while we waited.
		if [ ! -d "$tree" ]; then
			rm -rf "$tree.tmp"
			mkdir "$tree.tmp"
			cd "$tree.tmp"
			download
			unpack
			cd /
			mv "$tree.tmp/tree" "$tree"
			rm -rf "$tree.tmp"
			# Trees of older lists are of no use to anyone now.
			for old in "$CACHE/source"/*; do
				[ "$old" = "$tree" ] || rm -rf "$old"
			done
			say "kernel tools ready in the cache"
		fi
	) 9>"$CACHE/locks/source"
fi
echo "$tree"
