#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# All static checks.  Owns the list of them and what each looks at; a check
# prints its findings and nothing else, so a clean run shows one line at the end.
# Documentation/testing.rst says what each is for and why some types of
# checkpatch are off.  Installs what it needs when it is root or sudo works.
#
# usage: lint.sh [CHECK...]     default: all; lint.sh --list names them

set -u

top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 1

# Types of checkpatch that do not fit; the reasons are in testing.rst.
ignore_all=BIT_MACRO,FILE_PATH_CHANGES,ALLOC_WITH_SIZEOF
ignore_userspace=$ignore_all,CAMELCASE,PREFER_KERNEL_TYPES,LONG_LINE_STRING
ignore_userspace=$ignore_userspace,PREFER_DEFINED_ATTRIBUTE_MACRO

# --------------------------------------------------------------------------
# What there is to look at

# files [FIND-EXPRESSION...]: files of the project; what a build leaves, and
# what an editor, is not.
files()
{
	find . -name .git -prune -o -type f ! -name '*.[oad]' ! -name '*.ko' \
		! -name '*.mod' ! -name '*.mod.c' ! -name '.*.cmd' ! -name '*~' \
		! -name Module.symvers ! -name modules.order \
		! -name '.checkpatch-camelcase*' \
		! -path ./kmod/compat/config.h "$@" -print |
		sed 's|^\./||' | sort
}

generated()
{
	grep -q 'auto-generated from' "$1"
}

# sources DIRECTORY...: hand-written C files.
sources()
{
	for directory; do
		files -path "./$directory/*" -name '*.[ch]'
	done | while read -r file; do
		generated "$file" || echo "$file"
	done
}

# A script starts with a shebang of a shell; a piece that others source says
# which shell it is for in a shellcheck directive.
scripts()
{
	files ! -name '*.[ch]' ! -name '*.rst' ! -name '*.md' |
	while read -r file; do
		head -n 12 "$file" |
			grep -qaE '^#!.*[/ ](ba)?sh( |$)|^# shellcheck shell=' &&
			echo "$file"
	done
}

# --------------------------------------------------------------------------
# The checks; the name of each is its function's without check_

check_build_6_1() { tools/lint-build.sh 6.1; }
check_build_6_12() { tools/lint-build.sh 6.12; }
check_build_7_3() { tools/lint-build.sh 7.3; }

# checkpatch LIST-OF-IGNORED DIRECTORY...  It leaves a list of the kernel's
# CamelCase names in the current directory, so that is a scratch one.
checkpatch()
{
	_ignored=$1
	mkdir -p "$scratch/root/include"
	shift
	# shellcheck disable=SC2046 # our file names have no blanks
	set -- $(sources "$@" | sed "s|^|$top/|")
	[ $# -eq 0 ] || (cd "$scratch" && perl "$kernel/scripts/checkpatch.pl" \
		--root "$scratch/root" --no-tree --strict --terse --no-summary --quiet \
		--show-types --ignore "$_ignored" -f "$@") | sed "s|^$top/||"
}

check_checkpatch()
{
	checkpatch "$ignore_all" kmod uapi
	checkpatch "$ignore_userspace" tools selftests vm
}

check_kernel_doc()
{
	# shellcheck disable=SC2046 # our file names have no blanks
	python3 "$kernel/scripts/kernel-doc" -none -Wall \
		$(sources kmod) uapi/linux/dimgblk.h
}

check_shellcheck()
{
	scripts | xargs -P 2 -n 8 shellcheck -x -P SCRIPTDIR:SCRIPTDIR/.. -f gcc
	for file in $(files -name '*.bash-completion'); do
		shellcheck -s bash -f gcc "$file"
	done
}

check_mandoc()
{
	for file in $(files -name '*.[1-8]'); do
		mandoc -Tlint -W warning "$file"
	done
}

check_generated() { tools/regen-netlink.sh --check; }

check_spec()
{
	spec=Documentation/netlink/specs/dimgblk.yaml
	yamllint -f parsable -d default $spec
	python3 tools/lint-spec.py $spec \
		"$kernel/Documentation/netlink/genetlink-legacy.yaml"
}

# Differences between kernels are in kmod/compat alone, and they are probed for,
# never concluded from a version.  A guard of a header is no condition; nor is
# that of a trace header, which is read several times.
check_conditions()
{
	for file in $(files -name '*.[ch]' -path './kmod/*' \
		! -path './kmod/compat/*'); do
		# shellcheck disable=SC2016 # awk's, not the shell's
		awk '
		held != "" {
			split(held, guard)
			split($0, next_line)
			sub(/\(.*/, "", next_line[2])
			if (next_line[1] != "#define" || next_line[2] != guard[2])
				print FILENAME ":" held_nr ": condition outside kmod/compat: " held
			held = ""
		}
		/^#ifndef / { held = $0; held_nr = FNR; next }
		/^#if !defined\(_[A-Z_]*\) \|\| defined\(TRACE_HEADER_MULTI_READ\)$/ { next }
		/^[ \t]*#[ \t]*(if|ifdef|ifndef|elif)/ {
			print FILENAME ":" FNR ": condition outside kmod/compat: " $0
		}' "$file"
	done
	grep -rnE 'LINUX_VERSION_CODE|KERNEL_VERSION *\(' Kbuild kmod selftests
}

# A probe that nobody asks is dead, one that compat.rst does not list is a secret.
check_compat()
{
	for probe in kmod/compat/probes/*.c; do
		claim=$(basename "$probe" .c)
		[ "$claim" != sane ] || continue
		grep -qw "COMPAT_$(echo "$claim" | tr '[:lower:]' '[:upper:]')" \
			kmod/compat/compat.h || echo "$probe: not used in compat.h"
		# A name may be broken over two lines of the table.
		# shellcheck disable=SC2016 # awk's, not the shell's
		sed -n 's/^``\([a-z0-9_]*\)``.*/\1/p' Documentation/compat.rst |
			awk '{ held = held $0 } !/_$/ { print held; held = "" }' |
			grep -qx "$claim" || echo "$probe: not listed in compat.rst"
	done
}

# A named mutant that changes nothing any more tests nothing, nor does a control.
check_mutants()
{
	vm/mutate --listed --list >/dev/null
	vm/powercut --list >/dev/null
}

# vm/run judges a guest by its log: memory that others could not have is no fault, memory
# that we could not have is one, and so is what else is said meanwhile.
check_judged()
{
	report='kswapd0: page allocation failure: order:0, mode:0xcc0
Call Trace:
 MIDDLE
 </TASK>
Mem-Info:'
	while read -r want middle; do
		got=$(printf '%s\n' "$report" | sed "s/MIDDLE/$middle/" | awk -f vm/judged.awk |
			grep -acE -f vm/guest/bad-log)
		[ "$got" = "$want" ] ||
			echo "vm/judged.awk: '$middle' is $got faults, not $want"
	done <<-'M'
		0 shrink_node+0x3cf\/0x950
		1 dimgblk_cmd_run+0x1\/0x2 [dimgblk]
		1 shrink_node+0x3cf\/0x950\nBUG: from the other CPU
		1 dimgblk_cmd_run+0x1\/0x2 [dimgblk]\nfsck: page allocation failure: order:0
		1 shrink_node+0x3cf\/0x950\n <\/TASK>\nCall Trace:
	M
	got=$(printf '%s\n' "$report" | sed '/TASK/,$d' | awk -f vm/judged.awk |
		grep -acE -f vm/guest/bad-log)
	[ "$got" = 1 ] || echo "vm/judged.awk: a report that is cut off is no fault"
	got=$(printf '%s\n' "$report" | sed '/Call/,/TASK/d; $a Call Trace:\n </TASK>' |
		awk -f vm/judged.awk | grep -acE -f vm/guest/bad-log)
	[ "$got" = 1 ] || echo "vm/judged.awk: what comes after a report is part of it"
}

# Unfinished things, and the header each file starts with.
check_headers()
{
	for file in $(files ! -name COPYING); do
		[ "$(head -c 4 "$file" | tail -c 3 | tr -d '\0')" != ELF ] || continue
		case $file in
		tools/lint.sh) ;;
		*) grep -HnwE 'TODO|FIXME|XXX' "$file" ;;
		esac
		case $file in
		# The format of these has no comments.
		MAINTAINERS | selftests/settings | vm/guest/bad-log) ;;
		*) head -n 3 "$file" | grep -qE 'SPDX-License-Identifier: .*GPL-2.0' ||
			echo "$file: no SPDX line with GPL-2.0 at the top" ;;
		esac
	done
}

# Each file:function that the walk through the code names must be there, and
# each of its steps must name one.  Kernel files are those of the newest kernel.
check_life_of_a_request()
{
	text=Documentation/life-of-a-request.rst
	grep -oE '[A-Za-z0-9_./-]+\.[ch]:[A-Za-z_][A-Za-z0-9_]*' $text | sort -u |
	while IFS=: read -r file function; do
		place=$file
		[ -f "$place" ] || place=$kernel/$file
		if [ ! -f "$place" ]; then
			echo "$text: $file:$function: no such file"
		elif ! grep -qE "^([A-Za-z_].*[ *])?$function\(" "$place"; then
			echo "$text: $file:$function: not defined there"
		fi
	done
	# shellcheck disable=SC2016 # awk's, not the shell's
	awk '
	function finish() {
		if (step != "" && !named)
			print FILENAME ":" line ": step names no file:function: " step
		step = ""
	}
	/^[0-9#]+\. / { finish(); step = $0; line = FNR; named = 0 }
	/^[^ \t0-9#]/ { finish() }
	/[a-z_]\.[ch]:[a-z_]/ { named = 1 }
	END { finish() }' $text
}

# Commands in the texts are run by selftests/docs-commands-run.sh, or, where a
# guest cannot, by the file that is named beside them: that file must have them.
check_doc_commands()
{
	for text in README.md Documentation/admin-guide.rst; do
		[ -n "$(tools/doc-commands.sh guest $text)" ] ||
			echo "$text: no commands found for the guest"
		tools/doc-commands.sh host $text | while read -r runner command; do
			if [ ! -f "$runner" ]; then
				echo "$text: $runner, said to run '$command', is not there"
			elif [ "$runner" = vm/kernels/packages ]; then
				# What the builds of all kernels find in their roots.
				for word in ${command#*install }; do
					grep -qw -- "$word" "$runner" ||
						echo "$text: $runner has no $word"
				done
			elif ! grep -qF -- "${command#sudo }" "$runner"; then
				echo "$text: $runner does not run '${command#sudo }'"
			fi
		done
	done
}

# The users' guide is typed by tests.  Each section with commands is played by one,
# each section of the original is in the table, with a section here that exists
# and tests that exist; nothing is shown as a command that no test can type.
check_guide()
{
	text=Documentation/guide.rst
	[ -n "$(tools/doc-commands.sh console $text)" ] || echo "$text: no commands found"
	tools/doc-commands.sh console $text | awk -F '\t' '
	$1 == "title" { title = $3 }
	$1 == "command" && !seen[title]++ { print title }' | while read -r title; do
		# Prerequisites are typed before each.
		[ "$title" = Prerequisites ] ||
			grep -qF -e "\"$title\"" -e "'$title'" selftests/guide-*.sh ||
			echo "$text: no test plays \"$title\""
	done
	grep -nE '^ *\.\. (code-block|code|sourcecode|prompt)::|::$' $text |
		grep -vE ':: (console|text)$|:: *$' | sed "s|^|$text:|"
	# shellcheck disable=SC2016 # awk's, not the shell's
	awk '
	/^Which test proves which section$/ { table = 1 }
	!table { if (/^[=~^-]+$/ && length($0) >= length(before)) titles[before] = 1
		before = $0; next }
	/^   \* - / { row = substr($0, 8); rows++; next }
	/^     - `[^`]*`_$/ { here = substr($0, 9, length($0) - 10)
		if (!(here in titles))
			print FILENAME ":" FNR ": no section " here; next }
	/^     - ``/ || /^       ``/ { n = split($0, part, "``")
		for (i = 2; i <= n; i += 2) print "test " part[i] " " FNR
		tests[row] = 1 }
	END { if (rows < 30) print FILENAME ": the table of sections and tests has " rows " rows"
		for (row in tests) found++
		if (found != rows - 1) print FILENAME ": " rows - 1 - found " sections without a test" }
	' $text | while read -r word test line; do
		if [ "$word" != test ]; then
			echo "$word $test $line"
		elif [ ! -f "selftests/$test.sh" ]; then
			echo "$text:$line: there is no selftests/$test.sh"
		fi
	done
}

# Options of the tool that the texts name are in its manual page.
check_doc_options()
{
	manual=$(mandoc -Tascii tools/dimgsetup/dimgsetup.8 | sed 's/.\x08//g')
	for text in README.md Documentation/admin-guide.rst Documentation/guide.rst; do
		# Those of other programs, as in "vm/check --kernel", have no quote or
		# name of the tool before them.
		# shellcheck disable=SC2016 # backquotes of the text
		{
			grep -oE '`--[a-z-]+' $text
			grep -E 'dimgsetup [a-z]+ .*--' $text | grep -oE ' --[a-z-]+'
		} | grep -oE -- '--[a-z-]+' | sort -u | while read -r option; do
			printf '%s\n' "$manual" | grep -qw -- "$option" ||
				echo "$text: dimgsetup(8) has no $option"
		done
	done
}

check_rst()
{
	for text in $(files -name '*.rst'); do
		python3 -m docutils --report=2 --no-raw \
			--syntax-highlight=none --writer=null "$text" 2>&1
	done
}

# Links inside the texts: a file that is named must exist.
check_doc_links()
{
	for text in README.md $(files -name '*.rst'); do
		directory=$(dirname "$text")
		# A reference may be broken over lines.
		# shellcheck disable=SC2016 # backquotes of reStructuredText
		tr '\n' ' ' <"$text" |
		grep -oE '\]\([^):#]+\)|`[^`<]*<[^>:#]+>`_' |
		sed 's/.*[(<]\(.*\)[)>].*/\1/' | while read -r link; do
			[ -e "$directory/$link" ] ||
				echo "$text: no file $link"
		done
	done
}

# --------------------------------------------------------------------------

checks="generated spec checkpatch kernel_doc shellcheck mandoc conditions \
compat mutants judged headers life_of_a_request doc_commands guide doc_options doc_links rst \
build_6_1 build_6_12 build_7_3"

# Command, package that has it.  Perl, for checkpatch, is in each Debian.
needs="shellcheck:shellcheck mandoc:mandoc yamllint:yamllint python3:python3
	xz:xz-utils"

# What vm/ needs as well: the builds are in its roots.  Told the names of
# packages that are missing, prerequisites finds no commands of these names and
# installs them, or says what to do.
install_needs()
{
	missing=
	for need in $needs; do
		command -v "${need%:*}" >/dev/null || missing="$missing ${need#*:}"
	done
	for module in yaml jsonschema docutils; do
		python3 -c "import $module" 2>/dev/null ||
			missing="$missing python3-$module"
	done
	# shellcheck disable=SC2086 # one word per package
	vm/prerequisites $missing
}

case ${1:-} in
--list)
	# shellcheck disable=SC2086
	printf '%s\n' $checks
	exit ;;
-*)
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2 ;;
esac
# shellcheck disable=SC2086
[ $# -gt 0 ] || set -- $checks

install_needs || exit 1
kernel=$(tools/kernel-source.sh) || exit 1

scratch=$(mktemp -d)
lane=
trap 'kill $lane 2>/dev/null; rm -rf "$scratch"' EXIT
trap 'exit 129' HUP INT TERM
started=$(date +%s)
for name; do
	case " $checks " in
	*" $name "*) ;;
	*) echo "lint: no check $name; lint.sh --list names them" >&2; exit 2 ;;
	esac
done

# run_checks CHECK...: what each says goes to a file of its name.  Output is a finding,
# whatever the status.  A build that dies in silence is one, too; the other checks
# may well end with a grep that found nothing.
run_checks()
{
	for name; do
		output=$scratch/$name.found
		status=0
		"check_$name" >"$output" 2>&1 || status=$?
		case $name in
		build_*)
			[ $status = 0 ] || [ -s "$output" ] ||
				echo "ended with status $status" >"$output" ;;
		esac
	done
}

# Builds beside the others, most of which use one CPU.
builds='' others=''
for name; do
	case $name in
	build_*) builds="$builds $name" ;;
	*) others="$others $name" ;;
	esac
done
# shellcheck disable=SC2086 # one word per check
run_checks $others &
lane=$!
# shellcheck disable=SC2086
run_checks $builds
wait
lane=

run=0
failed=
for name; do
	run=$((run + 1))
	output=$scratch/$name.found
	[ -e "$output" ] || echo "was not run to its end" >"$output"
	if [ -s "$output" ]; then
		printf '%s:\n' "$name"
		sed 's/^/  /' "$output"
		failed="$failed $name"
	fi
done

seconds=$(($(date +%s) - started))
if [ -n "$failed" ]; then
	echo "lint: $run checks in $seconds s, findings in:$failed"
	exit 1
fi
echo "lint: $run checks in $seconds s, no findings"
