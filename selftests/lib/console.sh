# SPDX-License-Identifier: GPL-2.0
# Plays the console sessions of a document: types each command as the ordinary
# user "ann", who has sudo, and compares what it prints with the text, line by
# line. Owns the user, the shell and the comparison; what a session may look like
# is in Documentation/testing.rst, "Console sessions". Sourced after dimgblk.sh.
# shellcheck shell=bash

CONSOLE_USER=ann
CONSOLE_HOME=/home/ann
CONSOLE_TEXT=$SELFTESTS/../Documentation/guide.rst
CONSOLE_SHELL=

# As a document that broke off may leave it; what it left anyway is told before.
console_clear()
{
	local node place name
	! mountpoint -q "$CONSOLE_HOME" || fuser -skM -m "$CONSOLE_HOME" || true
	while read -r name _; do
		[ "/dev/mapper/$name" = "$(findmnt -rno SOURCE /mnt/diskimg)" ] || continue
		umount /mnt/diskimg
		dmsetup remove --retry "$name"
	done < <(dmsetup ls --target crypt 2>/dev/null)
	# The last one first: mounts may lie in mounts.
	for place in $(findmnt -rno TARGET |
		grep -E "^(/mnt/diskimg|$CONSOLE_HOME/.*|/lib/modules|/usr/lib/modules)\$" | tac); do
		umount "$place"
	done
	for node in /sys/block/dimgblk*; do
		[ ! -e "$node" ] ||
			forget_device "/dev/${node##*/}" "$(cat "$node/diskseq")"
	done
	# a session that went wrong may have written into what should have been mounted
	! mountpoint -q /mnt/diskimg && rm -rf --one-file-system /mnt/diskimg
}

console_forget_user()
{
	rm -f "/etc/sudoers.d/$CONSOLE_USER-dimgblk"
	userdel "$CONSOLE_USER" >/dev/null 2>&1
	rmdir "$CONSOLE_HOME"
}

# Tables that the text has the user write to come back as they were.
console_keep_tables()
{
	local file
	mkdir tables
	for file in fstab dimgtab; do
		[ ! -e "/etc/$file" ] || cp -p "/etc/$file" tables/
		defer console_restore_table "$file"
	done
}

console_restore_table()
{
	rm -f "/etc/$1"
	[ ! -e "$TMP/tables/$1" ] || cp -p "$TMP/tables/$1" /etc/
}

# console_user: makes ann, whose home is an XFS on the first scratch disk.
console_user()
{
	requires_command sudo useradd runuser fuser
	[ -e "$CONSOLE_TEXT" ] || skip "the documents are not beside the selftests"
	! getent passwd "$CONSOLE_USER" >/dev/null || skip "there is a user $CONSOLE_USER"
	nothing_attached || skip "something is attached already"
	[ ! -e /mnt/diskimg ] || skip "there is a /mnt/diskimg, which the documents make"
	useradd --no-create-home --user-group --home-dir "$CONSOLE_HOME" \
		--shell /bin/bash "$CONSOLE_USER"
	defer console_forget_user
	# sudo's own terminal would hide from us when a program wants a secret.
	printf '%s\n' "$CONSOLE_USER ALL=(ALL) NOPASSWD: ALL" \
		"Defaults:$CONSOLE_USER !use_pty" >"/etc/sudoers.d/$CONSOLE_USER-dimgblk"
	chmod 440 "/etc/sudoers.d/$CONSOLE_USER-dimgblk"
	scratch_disk 1
	make_fs xfs "$DISK"
	mount_at "$DISK" "$CONSOLE_HOME"
	CONSOLE_DIR=$TMP/console
	mkdir "$CONSOLE_DIR"
	chown "$CONSOLE_USER:$CONSOLE_USER" "$CONSOLE_HOME" "$CONSOLE_DIR"
	console_keep_tables
	# In the order of need: the shell may use what else is to be cleared.
	defer console_clear
	defer console_stop
}

# The user's shell: reads commands from descriptor 9, tells their status on 8.
# Variables, directory and $? go from one command to the next.
# shellcheck disable=SC2016 # expanded by that shell
console_shell='
	_again() { return "$1"; }
	_status=0
	cd
	while IFS= read -r -d "" -u 9 _command; do
		{ _again $_status; eval "$_command"; } </dev/null >"$_OUT" 2>&1 8>&- 9<&-
		_status=$?
		echo $_status >&8
	done'

console_start()
{
	rm -f "$CONSOLE_DIR"/*
	mkfifo "$CONSOLE_DIR/commands" "$CONSOLE_DIR/statuses"
	exec 9<>"$CONSOLE_DIR/commands" 8<>"$CONSOLE_DIR/statuses"
	runuser -u "$CONSOLE_USER" -- env -i HOME="$CONSOLE_HOME" USER="$CONSOLE_USER" \
		LOGNAME="$CONSOLE_USER" SHELL=/bin/bash TERM=dumb LC_ALL=C.UTF-8 \
		PATH=/usr/local/bin:/usr/bin:/bin _OUT="$CONSOLE_DIR/output" \
		bash -c "$console_shell" &
	CONSOLE_SHELL=$!
}

console_stop()
{
	[ -n "$CONSOLE_SHELL" ] || return 0
	printf 'exit\0' >&9
	wait_for 10 sh -c "! kill -0 $CONSOLE_SHELL" || stop "$CONSOLE_SHELL"
	CONSOLE_SHELL=
	exec 8>&- 9>&-
}

# console_type COMMAND: CONSOLE_STATUS is its exit status, the output in a file.
console_type()
{
	local command=$1
	if [ -e "$CONSOLE_DIR/answers" ]; then
		printf -v command '%q ' "$SELFTESTS/helpers/terminal" \
			"$CONSOLE_DIR/answers" bash -c "$1"
	fi
	printf '%s\0' "$command" >&9
	read -r CONSOLE_STATUS <&8
}

# What a terminal would show of output with backspaces and carriage returns.
console_shown()
{
	awk '
	function show(s,   i, c, n, pos, cell, line) {
		gsub(/\033\[[0-9;?]*[A-Za-z]/, "", s)
		for (i = 1; i <= length(s); i++) {
			c = substr(s, i, 1)
			if (c == "\b") { if (pos > 0) pos-- }
			else if (c == "\r") pos = 0
			else { cell[pos++] = c; if (pos > n) n = pos }
		}
		for (i = 0; i < n; i++)
			line = line cell[i]
		return line
	}
	/[\b\r\033]/ { print show($0); next }
	{ print }'
}

# What is not compared: which UUID, how many blanks, empty lines at the end.
console_plain()
{
	sed -E 's/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/UUID/gI
		s/[[:blank:]]+/ /g; s/^ //; s/ $//' | sed -e :a -e '/^\n*$/{$d;N;ba' -e '}'
}

# console_same WANTED GOT: "..." stands for anything in a line, a line of it for
# any lines, also none.
console_same()
{
	local pattern any='[^'$'\n'']*'
	pattern=$(sed -E 's/\.\.\./\x01/g; s/^\x01$/\x02/
		s/[][\.*^$+?(){}|]/\\&/g' <<<"$1")$'\n'
	pattern=${pattern//$'\x02\n'/($any$'\n')*}
	pattern=${pattern//$'\x01'/$any}
	[[ $2$'\n' =~ ^$pattern$ ]]
}

# console_prompt ANSWER: PROMPT becomes what the text shows before the answer, KIND
# whether the terminal shows the answer, REST the text behind. That is the next
# line which ends with the answer, or, as a secret is not shown and Enter is
# nothing, the next one that ends with a colon.
console_prompt()
{
	while [ -n "$REST" ]; do
		PROMPT=${REST%%$'\n'*}
		[[ $REST == *$'\n'* ]] && REST=${REST#*$'\n'} || REST=''
		KIND=show
		if [ -n "$1" ] && [[ $PROMPT == *" $1" ]]; then
			PROMPT=${PROMPT%" $1"}
			return
		elif [[ $PROMPT == *: ]]; then
			[ -z "$1" ] || KIND=hide
			return
		fi
	done
	return 1
}

# console_answers TYPED WANTED: the file of answers for helpers/terminal. A command
# that only wants to see a terminal is told "(nothing)".
console_answers()
{
	local answer answers='' PROMPT KIND REST
	[ ! -e "$CONSOLE_DIR/answers" ] || rm "$CONSOLE_DIR/answers"
	[ -n "$1" ] || return 0
	REST=$(console_plain <<<"$2")
	while [ "$1" != "(nothing)" ] && IFS= read -r answer; do
		[ "$answer" != Enter ] || answer=''
		console_prompt "$answer" ||
			die "line $CONSOLE_LINE: the text shows no prompt for '$answer'"
		printf -v answer '%s\t%s\t%s\n' "$KIND" "${PROMPT##*...}" "$answer"
		answers+=$answer
	done <<<"${1//, /$'\n'}"
	printf '%s' "$answers" >"$CONSOLE_DIR/answers"
}

# console_check PLACE: the output of the command against the text.
console_check()
{
	local wanted=$CONSOLE_WANTED got
	got=$(<"$CONSOLE_DIR/output")
	while [[ $wanted == *$'\n' ]]; do
		wanted=${wanted%$'\n'}
	done
	# Forks are what costs under TCG, and most commands print nothing.
	[ "$wanted" != "$got" ] || return 0
	wanted=$(console_plain <<<"$wanted")
	got=$(console_shown <"$CONSOLE_DIR/output" | console_plain)
	console_same "$wanted" "$got" && return
	fail "$1: prints something else"
	diff <(cat <<<"$wanted") <(cat <<<"$got") | sed -n \
		's/^< /#   wanted: /p; s/^> /#   got:    /p' || true
}

# One command of the text: CONSOLE_COMMAND, _LINE, _TYPED, _WANTED.
console_step()
{
	local place=${CONSOLE_TEXT##*/}:$CONSOLE_LINE
	if [ "$CONSOLE_STATUS" != 0 ] && [ "$CONSOLE_COMMAND" != "echo \$?" ]; then
		fail "$place: the command before ended with $CONSOLE_STATUS, and no 'echo \$?' shows it"
	fi
	note "$place: \$ $CONSOLE_COMMAND"
	console_answers "$CONSOLE_TYPED" "$CONSOLE_WANTED"
	console_type "$CONSOLE_COMMAND"
	console_check "$place"
	CONSOLE_COMMAND=''
	CONSOLE_TYPED=''
	CONSOLE_WANTED=''
}

# console_records TITLE: the records of the sections of that title.
console_records()
{
	"$SELFTESTS/../tools/doc-commands.sh" console "$CONSOLE_TEXT" |
		awk -F '\t' -v want="$1" '$1 == "title" { on = $3 == want; next } on'
}

# console_section TITLE: all blocks of that section, in the shell that runs.
console_section()
{
	local kind line text steps=0 out
	note "section: $1"
	while IFS=$'\t' read -r -u 7 kind line text; do
		case $kind in
		output)
			CONSOLE_WANTED+=$text$'\n'
			continue ;;
		more)
			CONSOLE_COMMAND+=$'\n'$text
			continue ;;
		esac
		[ -z "$CONSOLE_COMMAND" ] || console_step
		case $kind in
		setup)
			note "${CONSOLE_TEXT##*/}:$line: root: $text"
			out=$(cd "$CONSOLE_HOME" && bash -ec "$text" 2>&1 7<&- 8>&- 9>&-) ||
				die "line $line: '$text': $out" ;;
		typed) CONSOLE_TYPED=$text ;;
		command)
			steps=$((steps + 1))
			CONSOLE_LINE=$line
			CONSOLE_COMMAND=$text ;;
		esac
	done 7< <(console_records "$1")
	[ -z "$CONSOLE_COMMAND" ] || console_step
	[ $steps -gt 0 ] || fail "no commands in a section \"$1\" of ${CONSOLE_TEXT##*/}"
}

# play_guide TITLE...: what most tests do.
play_guide()
{
	console_user
	console_play "$@"
}

# console_play TITLE...: the sections in this order, in one shell, after that of the
# prerequisites; they must leave nothing attached or mounted.
console_play()
{
	local title
	CONSOLE_STATUS=0 CONSOLE_COMMAND='' CONSOLE_TYPED='' CONSOLE_WANTED=''
	console_start
	for title in Prerequisites "$@"; do
		console_section "$title"
	done
	[ "$CONSOLE_STATUS" = 0 ] || fail "the last command ended with $CONSOLE_STATUS"
	console_stop
	check "nothing is left attached" wait_for 10 nothing_attached
	check_equal "nothing is left mounted" "" \
		"$(findmnt -rno TARGET | grep -E "^(/mnt/diskimg|$CONSOLE_HOME/)" || true)"
	check_equal "nothing is left in the mount point" "" "$(ls -A /mnt/diskimg 2>/dev/null || true)"
	console_clear
}
