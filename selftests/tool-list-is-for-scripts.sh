#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: list prints loop's columns as a table, as raw and as typed JSON; nothing
# attached is an empty table and an empty JSON array, exit 0.
# Broken: a script that parses the output sees text where a number was.
. "$(dirname "$0")/lib/dimgblk.sh"

requires_command jq
check_equal "none: no table" "" "$(dimgsetup list)"
check_equal "none: empty array" '{"dimgdevices":[]}' "$(dimgsetup list --json | jq -c .)"

make_image disk.img 4M
attach -r -o 1M --sizelimit 2M --name tester disk.img
json=$(dimgsetup list --json)
is() { check_equal "json $1" "$2" "$(jq -c ".dimgdevices[0].$1" <<<"$json")"; }
is name "\"$DEV\""
is offset 1048576
is sizelimit 2097152
is ro true
is 'dio | type' '"boolean"'
is '"back-file"' "\"$TMP/disk.img\""
is '"log-sec" | type' '"number"'
json=$(dimgsetup list --json --output-all)
is autoclear false
is partscan false
is overlap false
is ref '"tester"'
is 'size | type' '"number"'
is size 2097152
is diskseq "$(sysfs "$DEV" diskseq)"
is '"maj:min"' "\"$(sysfs "$DEV" dev)\""
is state '"live"'
is open 0
is '"back-ino"' "$(stat -c %i disk.img)"

head=$(dimgsetup list | sed -n 1p)
for c in NAME SIZE OFFSET SIZELIMIT RO DIO LOG-SEC BACK-FILE; do
	check_match "column $c" "(^| )$c( |$)" "$head"
done
check_equal "chosen columns, raw" "$DEV 1048576" "$(dimgsetup list -n --raw -o NAME,OFFSET)"
check_equal "bytes" 2097152 "$(dimgsetup list -n --raw -b -o SIZE)"
check_match "human size" '^ *2M$' "$(dimgsetup list -n -o SIZE)"
check_equal "attach --json" "$(jq -c '.dimgdevices|length' <<<"$json")" \
	"$(dimgsetup attach --json -r disk.img | jq -c '.dimgdevices|length')"
detach --all disk.img
