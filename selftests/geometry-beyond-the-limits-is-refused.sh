#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Claim: no offset or size limit wraps: every pair from a table of limits is
# refused with the documented errno or gives the right capacity (B1).
# Broken: a negative position in the file, a device of the wrong size, a WARN.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 2M

# The errno that a value by itself earns, or nothing.
verdict()
{
	case $1 in
	9223372036854775296 | 0) ;;
	511 | 513) echo EINVAL ;;
	9223372036854775807) echo 'EINVAL|EOVERFLOW' ;;
	92233720368547758*|18446744073709551*) echo 'EOVERFLOW|EINVAL' ;;
	esac
}

offsets=(0 511 512 2147483136 4294967808 2199023255552 9223372036854775296
	9223372036854775807 9223372036854775808 18446744073709551104 18446744073709551615)
limits=(0 512 513 9223372036854775296 9223372036854775808 18446744073709551615)
wrong=0 refused=0 right=0
for off in "${offsets[@]}"; do
	for limit in "${limits[@]}"; do
		want=$(verdict "$off")$(verdict "$limit")
		if [ -z "$want" ] && [ ${#off} -gt 7 ]; then
			want='ERANGE|EOVERFLOW'
		fi
		# Two good values whose sum wraps.
		if [ -z "$want" ] && [ $((off + limit)) -lt 0 ]; then
			want=EOVERFLOW
		fi
		out=$(nl-send attach index=99 backing-fd=9 direct=0 \
			offset="$off" size-limit="$limit" 9<>disk.img) || true
		if [ -z "$want" ]; then
			bytes=$((2097152 - off))
			[ "$limit" = 512 ] && bytes=512
			if [ "$(field capacity "$out")" = $((bytes / 512)) ]; then
				right=$((right + 1))
			else
				wrong=$((wrong + 1))
				note "offset $off limit $limit: $out"
			fi
			udevadm settle
			nl-send detach index=99 detach-mode=2 >/dev/null || true
		elif [[ $out =~ ^(EINVAL|EOVERFLOW|ERANGE):\ .{12,}$ ]]; then
			refused=$((refused + 1))
			[[ $out =~ ^($want|EINVAL|EOVERFLOW): ]] ||
				{ wrong=$((wrong + 1)) && note "offset $off limit $limit: $out"; }
		else
			wrong=$((wrong + 1))
			note "offset $off limit $limit: wanted $want, got: $out"
			nl-send detach index=99 detach-mode=2 >/dev/null || true
		fi
	done
done
note "$refused refused, $right attached"
check_equal "wrong answers" 0 $wrong
check "nothing is left" nothing_attached
kernel_refuses ERANGE nl-send attach backing-fd=9 offset=2097152 9<>disk.img
kernel_refuses ERANGE nl-send attach backing-fd=9 offset=4294967296 9<>disk.img
kernel_refuses EOVERFLOW nl-send attach backing-fd=9 offset=18446744073709551104 9<>disk.img
kernel_refuses EINVAL nl-send attach backing-fd=9 size-limit=513 9<>disk.img
