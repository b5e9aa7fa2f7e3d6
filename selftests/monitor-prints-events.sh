#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: monitor says when it listens, then prints one line per event, at once:
# attach, settings, resize, error, detach; with --json each line is an object.
# Broken: a line that comes with the next one, or never.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command jq
make_image disk.img 1M
dimgsetup monitor >events 2>listening &
text=$!
dimgsetup monitor --json >events.json 2>listening.json &
json=$!
defer sh -c "kill $text $json 2>/dev/null; true"
check "says that it listens" wait_for 10 grep -q listening listening
check "with --json, too" wait_for 10 grep -q listening listening.json

# Each line has to be there before the next thing happens.
expect()
{
	check "$1" wait_for 5 grep -Eq "$1.*${DEV#/dev/}|${DEV#/dev/}.*$1" events
}
attach --direct-io=off disk.img
expect attach
dimgsetup set "$DEV" --direct-io=auto >/dev/null
expect settings
truncate -s 2M disk.img
dimgsetup resize "$DEV" >/dev/null
expect resize
truncate -s 1M disk.img
fails_with EIO blkop -d "$DEV" leak:1536K:4K
expect error
detach "$DEV"
expect detach
kill -INT $text $json
wait $text || note "monitor ended with $?"
wait $json || note "monitor --json ended with $?"
check_equal "as many events in JSON" "$(wc -l <events)" "$(wc -l <events.json)"
check "each line is an object" jq -es 'length >= 5 and all(type == "object")' events.json

# The group of events goes with the module.
dimgsetup monitor >/dev/null 2>listening &
text=$!
check "listens again" wait_for 10 grep -q listening listening
modprobe -r dimgblk || fail "a monitor keeps the module"
status=0
wait $text || status=$?
check_equal "a monitor ends with the module" 6 $status
check_match "and says why" 'the module was unloaded' "$(cat listening)"
