#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: --help works for the tool and each command, names every option, goes to
# stdout with exit 0; --version tells one.
# Broken: a command that runs when it was asked for help.
. "$(dirname "$0")/lib/dimgblk.sh"

help=$(dimgsetup --help)
commands=$(sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p' <<<"$help")
for c in attach detach mount umount list show resize set monitor $commands; do
	check_match "the tool's help names $c" "(^|[^a-z])$c([^a-z]|$)" "$help"
	out=$(dimgsetup "$c" --help 2>/dev/null) || fail "$c --help: exit $?"
	check_match "$c --help" "[Uu]sage:.*$c" "$out"
done
out=$(dimgsetup attach --help)
for o in offset sizelimit read-only sector-size direct-io partscan index name auto-detach \
	allow-overlap queues queue-depth json device part follow no-lock reuse with; do
	check_match "attach --help names --$o" "--$o" "$out"
done
check_match "version" '[0-9]+\.[0-9]+' "$(dimgsetup --version)"
check_equal "-h is --help" "$help" "$(dimgsetup -h)"
check "nothing came into being" nothing_attached
