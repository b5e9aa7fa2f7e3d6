# SPDX-License-Identifier: GPL-2.0
# A kernel log as vm/run judges it: without the line "Call Trace:" of reports that memory
# could not be had, unless one of our modules wanted it. A kernel that is short of memory
# says so, and goes on. All other lines stay, also of what another CPU says in between.

/: page allocation failure: order:/ {
	# one in the middle of another: nobody knows whose trace it is
	if (held != "")
		print held
	held = ""
	failed = 1
	ours = 0
}
failed && /\[(dimgblk|planted)\]/ { ours = 1 }
failed && /Call Trace:/ && held == "" {
	held = $0
	next
}
failed && /<\/TASK>|Mem-Info:/ {
	if (ours)
		print held
	held = ""
	failed = 0
}
{ print }
# It was cut off, and nobody knows whose it is.
END {
	if (held != "")
		print held
}
