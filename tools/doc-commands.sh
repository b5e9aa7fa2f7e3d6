#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints the shell commands of a document, so that a test can run what the
# documents tell people to type.  A block of commands is ```sh in Markdown and
# ".. code-block:: sh" in reStructuredText.  A block that cannot be run inside a
# guest (it boots one, or installs on a host) has a comment before it, "on the
# host: WHO runs it", with the file of the checkout that runs the same commands.
# A ".. code-block:: console" holds what a terminal shows: commands behind "$ ",
# their further lines behind "> ", and what they print; Documentation/testing.rst
# has the rules.
#
# usage: doc-commands.sh guest FILE    the commands to run in a guest
#        doc-commands.sh host FILE     "RUNNER<tab>COMMAND", one a line
#        doc-commands.sh console FILE  "KIND<tab>LINE-NUMBER<tab>TEXT", one a line:
#               title     of a section
#               setup     what root does unseen before the next block
#               typed     what is typed into the next block's command
#               command   a command, or a further line of it: more
#               output    a line that it prints

set -eu

case ${1:-} in
guest | host | console) ;;
*) sed -n 's/^# \(usage\|  *doc-\)/\1/p' "$0" >&2; exit 1 ;;
esac

if [ "$1" = console ]; then
	awk '
	function tell(kind, text) { print kind "\t" FNR "\t" text }

	/^ *\.\. code-block:: console$/ { block = 1; indent = 0; next }
	block && /^[ \t]*$/ { if (indent) tell("output", ""); next }
	block && match($0, /^ +/) && (!indent || RLENGTH >= indent) {
		if (!indent)
			indent = RLENGTH
		text = substr($0, indent + 1)
		if (text ~ /^\$ /)
			tell("command", substr(text, 3))
		else if (text ~ /^>( |$)/)
			tell("more", substr(text, 3))
		else
			tell("output", text)
		next
	}
	{ block = 0 }

	/^ *\.\. (setup|typed): / {
		kind = $2
		sub(/:$/, "", kind)
		sub(/^ *\.\. [a-z]+: /, "")
		tell(kind, $0)
	}
	# A title is underlined.
	/^[=~^-]+$/ && length($0) > 2 && length($0) >= length(before) &&
		before ~ /[A-Za-z]/ { tell("title", before) }
	{ before = $0 }
	' "$2"
	exit
fi

awk -v want="$1" '
function emit(line) {
	if (want == "host" && runner != "" && line != "" && line !~ /^#/)
		print runner "\t" line
	if (want == "guest" && runner == "")
		print line
}
function start() { runner = marked; marked = ""; indent = 0 }

# Markdown: from ```sh to ```.
/^```/ && fenced { fenced = 0; other = 0; next }
/^```sh$/ { fenced = 1; start(); next }
/^```/ { fenced = 1; other = 1; next }
fenced { if (!other) emit($0); next }

# reStructuredText: what is indented below the directive.
/^ *\.\. code-block:: sh$/ { block = 1; start(); next }
block && /^[ \t]*$/ { if (indent) emit(""); next }
block && match($0, /^ +/) && (!indent || RLENGTH >= indent) {
	if (!indent)
		indent = RLENGTH
	emit(substr($0, indent + 1))
	next
}
{ block = 0 }

/^(<!--|\.\.) on the host: / {
	marked = $0
	sub(/^(<!--|\.\.) on the host: /, "", marked)
	sub(/ *-->$/, "", marked)
	next
}
# The comment belongs to the block that follows it, blank lines apart.
/[^ \t]/ { marked = "" }
' "$2"
