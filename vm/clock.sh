# SPDX-License-Identifier: GPL-2.0
# Owns what is known of the frequency of this machine's time stamp counter, which an
# emulated guest reads as it is. A guest that measures it while the host is
# overloaded is now and then wrong by a factor, and its seconds with it. So it is told
# what an earlier one has found; that one had its first guess confirmed within a percent.
# shellcheck shell=sh

# clock_option: an option of the kernel's command line; empty if nothing is known.
clock_option()
{
	_file=$CACHE/tsc-$(cat /proc/sys/kernel/random/boot_id)
	[ ! -s "$_file" ] || echo "tsc_early_khz=$(cat "$_file")"
}

# clock_learn CONSOLE: remember what the guest with this log has found out. One that was
# told and did not confirm it shows that the host is another one, of the same boot.
clock_learn()
{
	_file=$CACHE/tsc-$(cat /proc/sys/kernel/random/boot_id)
	_khz=$(sed -n 's/.*tsc: Refined TSC clocksource calibration: \([0-9]*\)\.\([0-9]\{3\}\) MHz.*/\1\2/p' \
		"$1" | head -n 1)
	if [ -n "$_khz" ]; then
		[ -s "$_file" ] || {
			rm -f "$CACHE"/tsc-*
			echo "$_khz" >"$_file.$$"
			mv "$_file.$$" "$_file"
		}
	elif grep -aq ' tsc_early_khz=' "$1"; then
		# it takes a guest two seconds
		_lived=$(sed -n 's/^\[ *\([0-9]*\)\..*/\1/p' "$1" | tail -n 1)
		[ "${_lived:-0}" -lt 10 ] || rm -f "$_file"
	fi
}
