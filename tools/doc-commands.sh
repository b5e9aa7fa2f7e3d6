#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Prints the shell commands of a document, so that a test can run what the
# documents tell people to type.  A block of commands is ```sh in Markdown and
# ".. code-block:: sh" in reStructuredText.  A block that cannot be run inside a
# guest (it boots one, or installs on a host) has a comment before it, "on the
# host: WHO runs it", with the file of the checkout that runs the same commands.
#
# usage: doc-commands.sh guest FILE    the commands to run in a guest
#        doc-commands.sh host FILE     "RUNNER<tab>COMMAND", one a line

set -eu

case ${1:-} in
guest | host) ;;
*) sed -n 's/^# \(usage\|  *doc-\)/\1/p' "$0" >&2; exit 1 ;;
esac

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
