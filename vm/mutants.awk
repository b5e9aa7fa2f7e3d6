# SPDX-License-Identifier: GPL-2.0
# The one-line mutants of C files in kernel style, one a line:
#	OPERATOR <tab> FILE <tab> LINE NUMBER <tab> the line as it becomes
# Owns the choice of what is worth breaking: comparisons, logic, arithmetic, error
# returns, constants, and calls that stand alone. Leaves comments, the preprocessor,
# declarations and what only talks (messages) alone.

function emit(operator, text)
{
	if (text != $0)
		printf "%s\t%s\t%d\t%s\n", operator, FILENAME, FNR, text
}

# The first occurrence, with blanks around it: no pointer, no ->, no template.
function replace(operator, from, to,	at)
{
	at = index($0, " " from " ")
	if (at)
		emit(operator, substr($0, 1, at) to substr($0, at + length(from) + 1))
}

FNR == 1 { in_comment = 0; in_function = 0 }
/^{/ { in_function = 1; next }
/^}/ { in_function = 0; next }
/^[ \t]*\/\*/ { in_comment = 1 }
in_comment {
	if (/\*\//)
		in_comment = 0
	next
}
!in_function || /^#/ || /^[ \t]*\*/ || /^[ \t]*\/\// || /^[a-z_]+:$/ { next }
/(pr|dev)_(warn|err|info|notice|dbg)|NL_SET_ERR_MSG|fputs|printf|dimg_say|dimg_note|static_assert/ { next }
/lockdep_assert|WARN_ON|might_sleep/ { next }
# text only
/^[ \t]*"/ { next }

{
	replace("equal", "==", "!=")
	replace("unequal", "!=", "==")
	replace("below", "<", "<=")
	replace("at-most", "<=", "<")
	replace("above", ">", ">=")
	replace("at-least", ">=", ">")
	replace("and", "&&", "||")
	replace("or", "||", "&&")
	replace("plus", "+", "-")
	replace("minus", "-", "+")
}
/if \(!/ {
	text = $0
	sub(/if \(!/, "if (", text)
	emit("not", text)
}
/if \([a-z_]+\)$/ {
	text = $0
	sub(/if \(/, "if (!", text)
	emit("if", text)
}
/return -E[A-Z0-9]+;/ {
	text = $0
	sub(/-E[A-Z0-9]+;/, "0;", text)
	emit("no-error", text)
}
/return (true|false);/ {
	text = $0
	if (!sub(/true/, "false", text))
		sub(/false/, "true", text)
	emit("opposite", text)
}
# a call, or an assignment, that stands alone
/^\t+[a-z_]+\(.*\);$/ {
	text = $0
	sub(/[a-z_].*/, ";", text)
	emit("no-call", text)
}
/^\t+[a-z_>.-]+ [|&+-]?= [^;{]*;$/ {
	text = $0
	sub(/[a-z_].*/, ";", text)
	emit("no-assignment", text)
}
