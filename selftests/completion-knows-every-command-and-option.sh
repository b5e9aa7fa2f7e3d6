#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: bash completes every command, every option that --help names, the values of
# options that have a fixed set, and nothing that the tool does not take; for
# dimgsetup and dimg-losetup.
# Broken: a new option that only its author knows.
. "$(dirname "$0")/lib/dimgblk.sh"

file=$SELFTESTS/../tools/dimgsetup/dimgsetup.bash-completion
[ -e "$file" ] || file=/usr/share/bash-completion/completions/dimgsetup
[ -e "$file" ] || skip "no completion file"
# compopt works only while readline is completing.
compopt() { :; }
# shellcheck source=/dev/null
. "$file"

# offered WORD...: what is offered for the last word, a blank behind each.
offered()
{
	local function
	function=$(complete -p "$1" | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	COMPREPLY=()
	"$function" "$1" "${!#}" "${COMP_WORDS[COMP_CWORD - 1]}" || true
	printf '%s ' "${COMPREPLY[@]}"
}

# check_offers "WANTED..." WORD...: all of these are offered.
check_offers()
{
	local word missing='' got wanted=$1
	shift
	got=" $(offered "$@")"
	for word in $wanted; do
		[[ $got == *" $word "* ]] || missing+=" $word"
	done
	[ -n "$wanted" ] || missing=" (nothing was wanted)"
	check_equal "$* -> $wanted" "" "$missing"
}

# Options that a help text describes: in the column of options, or "(also ...)".
help_options()
{
	{
		sed -n 's/^  *\(-[A-Za-z], \)*\(--[a-z][a-z-]*\).*/\1\2/p' <<<"$1"
		grep -oE 'also --[a-z-]+' <<<"$1" || true
	} | grep -oE -- '--[a-z][a-z-]+|-[A-Za-z]\b' | sort -u
}

# check_options HELP COMMAND...: all are offered, and what is offered is taken.
check_options()
{
	local options option
	options=$(help_options "$1")
	shift
	check_offers "$(grep -E -- '^-[A-Za-z]$|^--' <<<"$options" | paste -sd' ')" "$@" -
	for option in $(offered "$@" --); do
		[[ $option == --?* && " ${options//$'\n'/ } " != *" $option "* ]] || continue
		# From the text below the options; "=" keeps it from doing anything.
		if grep -q 'unrecognized option' <<<"$("$@" "$option=" </dev/null 2>&1)"; then
			fail "$* is offered $option, which it does not take"
		fi
	done
}

help=$(dimgsetup --help)
commands=$(sed -n '/^Commands/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' <<<"$help")
check "the help names commands" test "$(wc -w <<<"$commands")" -ge 8
check_offers "$(paste -sd' ' <<<"$commands")" dimgsetup ""
check_offers "--help --version --verbose" dimgsetup --
for command in $commands; do
	check_options "$(dimgsetup "$command" --help)" dimgsetup "$command"
done

columns=$(dimgsetup list --help | sed -n '/^Columns/,$s/^  \([A-Z][A-Z:-]*\) .*/\1/p')
check_offers "$(paste -sd' ' <<<"$columns")" dimgsetup list --output ""
check_equal "a column behind a comma" "NAME,REF " "$(offered dimgsetup list -o NAME,RE)"
check_offers "on off auto" dimgsetup attach --direct-io = ""
check_offers "sparse allocate zero" dimgsetup create --method = ""
check_offers "ext4 xfs btrfs vfat" dimgsetup create --mkfs = ""
touch some.img
check_offers "some.img" dimgsetup attach so
truncate -s 1M some.img
attach --name completed some.img
check_offers "$DEV completed some.img" dimgsetup detach ""
detach "$DEV"

check_options "$(dimg-losetup --help)" dimg-losetup
check "nothing came into being" nothing_attached
