# SPDX-License-Identifier: GPL-2.0
# Part hotplug: CPU 1 goes and comes while data is written and verified.
# shellcheck shell=bash disable=SC2034 # WORKER is for told and count

hotplug_load()
{
	WORKER=load
	while [ ! -e "$TMP/stop" ]; do
		beat load
		nl-send set index="$1" direct=$((RANDOM % 2 * 2)) >/dev/null || told "set direct"
		model "/dev/dimgblk$1" "$TMP/hotplug.model" 0 8M $((RANDOM + 1)) 100 4096 >"$TMP/model.log" 2>&1 ||
			told "model: $(cat "$TMP/model.log")"
		count model
	done
	rm -f "$TMP/beat.load"
}

hotplug_attach()
{
	local out n
	WORKER=attach
	truncate -s 1M "$TMP/hotplug-other.img"
	while [ ! -e "$TMP/stop" ]; do
		beat attach
		out=$(nl-send attach backing-fd=9 9<>"$TMP/hotplug-other.img") || { told "attach: $out"; break; }
		n=$(field index "$out")
		out=$(nl-send detach index="$n" detach-mode=2) || told "detach: $out"
		count attach
	done
	rm -f "$TMP/beat.attach"
}

hotplug_cpu()
{
	local cpu=/sys/devices/system/cpu/cpu1/online
	WORKER=cpu
	while [ ! -e "$TMP/stop" ]; do
		beat cpu
		if echo 0 >$cpu; then count offline; fi
		sleep 0.3
		echo 1 >$cpu || told "CPU 1 does not come back"
		sleep 0.3
	done
	echo 1 >$cpu 2>/dev/null || true
	rm -f "$TMP/beat.cpu"
}

part_hotplug()
{
	local pids=()
	[ -e /sys/devices/system/cpu/cpu1/online ] || die "hotplug: a second CPU is needed"
	scratch_fs ext4
	truncate -s 8M "$MNT/hotplug.img" "$TMP/hotplug.model"
	attach "$MNT/hotplug.img"
	hotplug_load "$(index_of "$DEV")" &
	pids+=($!)
	hotplug_attach &
	pids+=($!)
	hotplug_cpu &
	pids+=($!)
	supervise "$1" "${pids[@]}" || return 1
	detach "$DEV"
	cmp "$MNT/hotplug.img" "$TMP/hotplug.model" || fail "hotplug: image and model differ"
	release_mount "$MNT"
	[ "$(counted offline)" -gt 0 ] || fail "hotplug: CPU 1 never went"
	[ "$(counted model)" -gt 0 ] || fail "hotplug: nothing was verified"
}
