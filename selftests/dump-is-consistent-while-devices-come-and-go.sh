#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-cpus: 2
# Claim: a dump taken while others attach and detach ends, names no device twice,
# and always those that were there throughout (N6).
# Broken: an endless or torn list.
. "$(dirname "$0")/lib/dimgblk.sh"

for i in 1 2 3 4; do
	make_image $i.img 1M
	attach --index $((i * 10)) $i.img
done
make_image churn.img 1M
(
	while [ ! -e stop ]; do
		n=$(nl-send attach backing-fd=9 index=$((15 + RANDOM % 20)) 9<>churn.img) || continue
		n=$(field index "$n")
		echo "$n" >>churned
		while ! nl-send detach index="$n" detach-mode=2; do :; done
	done >/dev/null 2>&1
) &
churn=$!
defer sh -c "touch $TMP/stop; while kill -0 $churn 2>/dev/null; do sleep 0.05; done"
bad=0
for _ in {1..20}; do
	out=$(timeout 10 nl-send -d get | sed -n 's/^index=//p') || bad=$((bad + 1))
	[ -z "$(sort <<<"$out" | uniq -d)" ] || { note "twice: $out"; bad=$((bad + 1)); }
	[ "$(grep -Exc '10|20|30|40' <<<"$out")" = 4 ] || { note "lost: $out"; bad=$((bad + 1)); }
done
check_equal "bad dumps of 20" 0 $bad
touch stop
wait $churn || true
check "devices came and went meanwhile" test "$(wc -l <churned)" -gt 3
