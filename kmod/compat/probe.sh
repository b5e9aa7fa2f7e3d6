#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Owns the question what this kernel's headers offer.  Compiles each file of
# probes/ with the flags of a real build; what compiles is a claim that holds and
# becomes "#define COMPAT_<CLAIM> 1".  Versions are never compared: distributions
# carry changes back.
#
# usage: probe.sh PROBES-FOLDER OUTPUT COMPILER FLAGS...

set -eu

probes=$1
output=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# compiles CLAIM COMPILER FLAGS...: does the probe of that name compile?
compiles() {
	claim=$1
	shift
	"$@" -DKBUILD_BASENAME='"probe"' -DKBUILD_MODFILE='"probe"' \
		-DKBUILD_MODNAME='"probe"' -Werror -fsyntax-only \
		"$probes/$claim.c" >"$scratch/$claim.log" 2>&1
}

for probe in "$probes"/*.c; do
	claim=$(basename "$probe" .c)
	{ compiles "$claim" "$@" && : >"$scratch/$claim.yes"; } &
done
wait || :

if ! [ -e "$scratch/sane.yes" ]; then
	cat "$scratch/sane.log" >&2
	echo "probe.sh: the simplest module does not compile: check compiler and kernel headers" >&2
	exit 1
fi

{
	echo "/* Made by probe.sh for one kernel; do not edit, do not commit. */"
	for probe in "$probes"/*.c; do
		claim=$(basename "$probe" .c)
		[ "$claim" = sane ] && continue
		name=COMPAT_$(echo "$claim" | tr '[:lower:]' '[:upper:]')
		if [ -e "$scratch/$claim.yes" ]; then
			echo "#define $name 1"
		else
			echo "/* $name does not hold */"
		fi
	done
} >"$scratch/config.h"
mv "$scratch/config.h" "$output"
