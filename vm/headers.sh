# SPDX-License-Identifier: GPL-2.0
# What a selftest asks for in its header, "# WORD: VALUE": read here for all who
# start guests for tests. Sourced after lib.sh. POSIX sh.
# shellcheck shell=sh

# header FILE WORD: the values of the lines "# WORD: VALUE".
header()
{
	sed -n "s/^# $2: *\([0-9][0-9]*[KMGT]\{0,1\}\) *\$/\1/p" "$1"
}

# asks FILE WORD: does it have the line "# WORD: yes"?
asks()
{
	grep -qx "# $2: yes" "$1"
}

# boot_options FILE: the values of the lines "# boot-option: VALUE".
boot_options()
{
	sed -n 's/^# boot-option: *//p' "$1" | paste -sd' '
}

# mebibytes SIZE
mebibytes()
{
	case $1 in
	*G) echo $((${1%G} * 1024)) ;;
	*M) echo "${1%M}" ;;
	*K) echo $(((${1%K} + 1023) / 1024)) ;;
	*) echo $(($1 / 1048576)) ;;
	esac
}

max() { [ "$1" -ge "$2" ] && echo "$1" || echo "$2"; }

# disk_options TEST...: --disk options of vm/run, so that each test has its disks.
disk_options()
{
	for _t in "$@"; do
		header "$TOP/selftests/$_t.sh" requires-disk | awk '{ print NR, $1 }'
	done | while read -r _n _v; do echo "$_n $(mebibytes "$_v")"; done |
		sort -k1,1n -k2,2nr | awk '!seen[$1]++ { printf " --disk %sM", $2 }'
}
