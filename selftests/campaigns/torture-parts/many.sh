# SPDX-License-Identifier: GPL-2.0
# Part many: as many devices at once as max_devices allows by default. Each has bytes
# of its own, one more is refused, the list has all, and afterwards the memory is back.
# shellcheck shell=bash disable=SC2034,SC2017 # WORKER is for told and count; i / 64 is meant to round

# shellcheck source=selftests/campaigns/torture-parts/churn.sh disable=SC1091
. "$SELFTESTS/campaigns/torture-parts/churn.sh"

MANY=${TORTURE_MANY:-4096}
# KiB of slab that may be missing afterwards, per device.
MANY_LEFT=4

many_attach()
{
	local i out
	WORKER=many
	for ((i = 0; i < MANY; i++)); do
		beat many
		out=$(nl-send attach backing-fd=9 index=$i queue-depth=2 nr-hw-queues=1 direct=0 \
			9<>"$TMP/many/$((i % 64)).img" offset=$((i / 64 * 4096)) size-limit=4096) || {
			told "device $i: $out"
			break
		}
		count attach
	done
	rm -f "$TMP/beat.many"
}

many_detach()
{
	local i out
	WORKER=many
	for ((i = 0; i < MANY; i++)); do
		beat many
		out=$(nl-send detach index=$i detach-mode=2) || told "detach $i: $out"
		count detach
	done
	rm -f "$TMP/beat.many"
}

part_many()
{
	local i before full after b f a
	end_udevd
	mkdir -p "$TMP/many"
	for ((i = 0; i < 64; i++)); do make_image "$TMP/many/$i.img" 256K $i; done
	# the first ones bring caches and threads along that stay
	MANY=64 many_attach
	MANY=64 many_detach
	before=$(measure)
	many_attach
	full=$(measure)
	check_equal "devices in the list" "$MANY" "$(nl-send -d get | grep -c '^index=')"
	[ "$MANY" -lt 4096 ] || kernel_refuses ENOSPC nl-send attach backing-fd=9 9<>"$TMP/many/0.img" \
		flags=8
	for i in 0 1 63 64 $((MANY / 2)) $((MANY - 1)); do
		cmp -s -n 4096 "/dev/dimgblk$i" <(tail -c +$((i / 64 * 4096 + 1)) "$TMP/many/$((i % 64)).img") ||
			fail "device $i has other bytes"
	done
	many_detach
	check "all are gone" wait_for 60 nothing_attached
	after=$(measure)
	start_udevd
	read -ra b <<<"$before"
	read -ra f <<<"$full"
	read -ra a <<<"$after"
	note "many: $MANY devices take $(((f[0] - b[0]) / MANY)) KiB of slab each, $((f[2] - b[2])) tasks"
	note "many: afterwards slab is $((a[0] - b[0])) KiB above, files $((a[1] - b[1])), tasks $((a[2] - b[2]))"
	[ $((a[0] - b[0])) -le $((MANY * MANY_LEFT)) ] || ! slab_tells ||
		fail "many: slab does not come back"
	[ $((a[1] - b[1])) -le 16 ] || fail "many: files stay open"
	rm -rf "$TMP/many"
}
