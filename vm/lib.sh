# SPDX-License-Identifier: GPL-2.0
# What all of vm/ shares: where things are (checkout, cache), how we talk
# (progress with elapsed time, errors with a remedy), how a kernel label becomes
# a cached root, and how to become root and mount without leaving a mount behind. Sourced by the scripts, which set VM_DIR first. POSIX sh.
# shellcheck shell=sh

TOP=$(cd "$VM_DIR/.." && pwd)
CACHE=${DIMGBLK_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/dimgblk}
KERNELS="6.1 6.12 7.3"
# Built here from a distribution's source, to find bugs. Only when asked for by name.
OWN_KERNELS="debug kcsan coverage"
# Scripts call scripts: the clock starts with the outermost one.
: "${VM_STARTED:=$(date +%s)}"
export VM_STARTED

# sbin is not in every user's PATH, and mke2fs and friends live there.
PATH=$PATH:/usr/sbin:/sbin
export PATH

say()
{
	printf '[%4ds] %s\n' $(($(date +%s) - VM_STARTED)) "$*" >&2
}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit "${DIE_STATUS:-1}"
}

is_kernel()
{
	[ -n "$1" ] && [ -f "$VM_DIR/kernels/$1.conf" ]
}

# kernel_conf LABEL: sets SERIES, SUITE, EXTRA_SUITE, and of a kernel that we build
# ourselves BASE, the one whose root it runs on, CONFIGS, CORE_OPTIONS (make variables
# of all but our module) or SAME_AS (the label whose build it is, too), MODULE_OPTIONS
# (of our module alone), DETECTS, GUEST_MEM and GUEST_SLOW.
# shellcheck disable=SC2034 # read by the scripts
kernel_conf()
{
	is_kernel "$1" ||
		die "unknown kernel '$1'; there are: $KERNELS, and built here: $OWN_KERNELS (vm/kernels/*.conf)"
	BASE='' CONFIGS='' CORE_OPTIONS='' SAME_AS='' MODULE_OPTIONS='' DETECTS=''
	GUEST_MEM=1024 GUEST_SLOW=1
	# shellcheck disable=SC1090
	. "$VM_DIR/kernels/$1.conf"
}

packages()
{
	sed 's/#.*//' "$VM_DIR/kernels/packages" | tr -s ' \t\n' '\n' | sed '/^$/d'
}

# base_kernel LABEL: the kernel whose root this one runs on, usually itself.
base_kernel()
{
	(kernel_conf "$1" && printf '%s\n' "${BASE:-$1}")
}

# root_dir LABEL: where this kernel's root is, or will be. The key covers all
# that decides what is in it, so an old root is never taken for a new recipe's.
root_dir()
{
	_base=$(base_kernel "$1")
	_key=$({
		grep -v '^#' "$VM_DIR/kernels/$_base.conf"
		packages
		grep -v '^[[:space:]]*#' "$VM_DIR/mkroot"
	} | sha256sum | cut -c1-12)
	printf '%s\n' "$CACHE/roots/$_base-$_key"
}

# kernel_dir LABEL: of a kernel that we build, the folder with all of it (build,
# modules, boot); nothing otherwise. The key covers the version of its base, the
# configuration, and a number to raise when mkkernel makes another one of the same:
# not all of its text, as with roots, because a build takes so long.
kernel_dir()
{
	(
		kernel_conf "$1"
		[ -n "$BASE" ] || exit 0
		key=$({
			cat "$(root_dir "$1")/kver" 2>/dev/null || :
			for c in $CONFIGS; do grep -v '^#' "$VM_DIR/kernels/$c.config"; done
			echo 1
		} | sha256sum | cut -c1-12)
		printf '%s\n' "$CACHE/kernels/${SAME_AS:-$1}-$key"
	)
}

# kernel_source LABEL: the source of a kernel that we build, shared by all configs.
kernel_source()
{
	printf '%s/kernels/source-%s\n' "$CACHE" "$(base_kernel "$1")-$(cat "$(root_dir "$1")/kver")"
}

# kernel_version LABEL: what uname -r says in its guest.
kernel_version()
{
	_own=$(kernel_dir "$1")
	cat "${_own:-$(root_dir "$1")}/kver"
}

# is_ready LABEL: all that a guest boots is there.
is_ready()
{
	_own=$(kernel_dir "$1")
	[ -e "$(root_dir "$1")/complete" ] && [ -d "$(disk_dir "$1")" ] &&
		{ [ -z "$_own" ] || [ -e "$_own/complete" ]; }
}

# disk_dir LABEL: where the root disk is; boot_dir LABEL: what QEMU boots.
disk_dir()
{
	printf '%s/boot-%s\n' "$(root_dir "$1")" \
		"$(sha256sum <"$VM_DIR/mkboot" | cut -c1-12)"
}

boot_dir()
{
	_own=$(kernel_dir "$1")
	if [ -n "$_own" ]; then
		printf '%s/boot\n' "$_own"
	else
		disk_dir "$1"
	fi
}

# changed_line FILE SED-EXPRESSION: the number of the line that it changes; fails if that is
# not one line.
changed_line()
{
	_changed=$(sed -e "$2" "$1" | diff "$1" - | sed -n '/^[0-9]/p' || :)
	case $_changed in
	'' | *[!0-9c]*) return 1 ;;
	esac
	echo "${_changed%c*}"
}

# become_root "$@": start the script again through sudo unless we are root. Making
# a root, changing into it and mounting need that; nothing of the host is changed.
become_root()
{
	[ "$(id -u)" != 0 ] || return 0
	command -v sudo >/dev/null ||
		die "needs root (for chroot and mounts), and there is no sudo. As root: $0 $*"
	# sudo drops the environment; apt and mmdebstrap may need the way out.
	exec sudo ${DIMGBLK_CACHE:+DIMGBLK_CACHE="$DIMGBLK_CACHE"} \
		${http_proxy:+http_proxy="$http_proxy"} \
		${https_proxy:+https_proxy="$https_proxy"} \
		${no_proxy:+no_proxy="$no_proxy"} \
		VM_STARTED="$VM_STARTED" "$0" "$@"
}

# with_root COMMAND...: run it as the root we are, in a mount name space of its
# own, so that whatever is mounted goes with it.
with_root()
{
	unshare --mount --propagation private -- "$@"
}

# build_dir LABEL: the build copy of this checkout for this kernel.
build_dir()
{
	printf '%s/build/%s-%s-%s\n' "$CACHE" "$1" \
		"$(printf %s "$TOP" | sha256sum | cut -c1-8)" \
		"$(basename "$(root_dir "$1")" | sed 's/.*-//')$(basename "$(kernel_dir "$1")" | sed 's/.*-/-/')"
}

# mirror: the head of an apt source line for the Debian archive that the machine's
# own apt uses. All suites are on it.
mirror()
{
	_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	[ -f "$_keyring" ] ||
		die "$_keyring is missing; install debian-archive-keyring"
	# shellcheck disable=SC2016 # apt expands these, not the shell
	_site=$({
		apt-get indextargets --format '$(SITE) $(RELEASE)' \
			'Created-By: Packages' 'Origin: Debian'
		# Before the first update apt knows no origins.
		apt-get indextargets --format '$(SITE) $(RELEASE)' \
			'Created-By: Packages' 'Component: main'
	} 2>/dev/null | awk '$2 ~ /^(bookworm|trixie|forky|sid|(old)?stable|testing|unstable)(-updates|-backports)?$/ {
		sub(/\/$/, "", $1); print $1; exit }')
	[ -n "$_site" ] ||
		die "apt knows no Debian mirror; add one to /etc/apt/sources.list.d and run apt-get update"
	echo "deb [signed-by=$_keyring] $_site"
}

# apt_options: lines of apt.conf that the machine's apt needs to reach the mirror.
apt_options()
{
	apt-config dump | grep -iE '^Acquire::https?::(Proxy|Verify|CaInfo|CaPath|SslCert|SslKey|Timeout)' |
		grep -v ' "";$' | sed 's/;$//' || :
}
