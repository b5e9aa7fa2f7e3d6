#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-disk: 60G
# Claim: what plays the guide tells every difference with its line: other output, less
# or more of it, a failure that the text does not show, another status, a question
# that is not asked, a device that is left; and lets pass what may vary.
# Broken: a guide that is always right.
. "$(dirname "$0")/lib/dimgblk.sh"
. "$SELFTESTS/lib/console.sh"

console_user
CONSOLE_TEXT=$TMP/made.rst
cat >made.rst <<'TEXT'
Prerequisites
=============

.. code-block:: console

   $ cd /

Right
=====

.. setup: echo done by root >proof

.. code-block:: console

   $ pwd
   /
   $ echo one    two; echo three; echo four
   one ...o
   ...
   four
   $ echo 0b7c11d4-bf1f-5d97-a473-4f65d6f4d1bf
   1b7c11d4-bf1f-5d97-a473-4f65d6f4d1b0
   $ sh -c 'exit 3'
   $ echo $?
   3
   $ cat <<E
   > two
   > E
   two
   $ printf '10%%\r20%%\n\nend\n'
   20%

   end

   $ x=kept
   $ echo $x $(whoami) $(sudo whoami) $(cat ~/proof)
   kept ann root done by root

.. typed: Ann, secret, Enter
.. code-block:: console

   $ read -p "Name: " n; read -sp "Word: " w; echo; read -p "More: " m; echo $n-$w-$m
   Name: Ann
   Word:
   More:
   Ann-secret-

Wrong
=====

.. code-block:: console

   $ echo other
   output
   $ echo less
   less
   than this
   $ echo more; echo than this
   more
   $ echo a.b
   a+b
   $ false
   $ sh -c 'exit 4'
   $ echo $?
   5

.. typed: Ann
.. code-block:: console

   $ echo nobody asks
   nobody asks
   Name: Ann

Leaves
======

.. code-block:: console

   $ truncate -s 1M ~/disk.img
   $ sudo dimgsetup attach ~/disk.img
   /dev/dimgblk0
TEXT

# sees TITLE [LINE]...: exactly the commands in these lines of the text fail.
sees()
{
	local title=$1 out
	shift
	out=$(KTAP_FAILED=''; console_play "$title"; echo "failed: $KTAP_FAILED")
	check_equal "$title: failures" "$*" \
		"$(sed -n 's/.*FAILED: made.rst:\([0-9]*\): .*/\1/p' <<<"$out" | xargs)"
	printf '%s\n' "$out" >seen
}
line() { grep -nF -- "$1" made.rst | cut -d: -f1 | head -n "${2:-1}" | tail -n 1; }

sees Right
check "and all is well" grep -qx 'failed: ' seen
# shellcheck disable=SC2016 # text of the session
sees Wrong "$(line '$ echo other')" "$(line '$ echo less')" "$(line '$ echo more')" \
	"$(line '$ echo a.b')" "$(line "\$ sh -c 'exit 4'")" "$(line '$ echo $?' 2)" \
	"$(line '$ echo nobody')"
check "what was wanted" grep -qx '#   wanted: output' seen
check "what came" grep -qx '#   got:    other' seen
check "it counts" grep -qx 'failed: 1' seen
sees Leaves
check "a device that is left is told" grep -q 'FAILED: nothing is left attached' seen
sees Absent
check "a section without commands is told" grep -q 'FAILED: no commands in a section "Absent"' seen
