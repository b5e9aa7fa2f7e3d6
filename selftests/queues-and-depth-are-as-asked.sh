#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# requires-cpus: 2
# Claim: the number of hardware queues and the depth are what was asked for, and
# values out of range are refused with ERANGE.
# Broken: the option is parsed and dropped.
. "$(dirname "$0")/lib/dimgblk.sh"

make_image disk.img 1M
cpus=$(tr ',' '\n' </sys/devices/system/cpu/possible |
	awk -F- '{ n += ($2 == "" ? 1 : $2 - $1 + 1) } END { print n }')

queues()
{
	find "/sys/block/${DEV#/dev/}/mq" -mindepth 1 -maxdepth 1 -type d | wc -l
}

attach disk.img
check_equal "default queues" $((cpus < 8 ? cpus : 8)) "$(queues)"
detach "$DEV"

attach --queues "$cpus" --queue-depth 16 disk.img
check_equal "$cpus queues" "$cpus" "$(queues)"
check_equal "depth 16" 16 "$(sysfs "$DEV" queue/nr_requests)"
check "works" cmp disk.img "$DEV"
detach "$DEV"

attach --queues 1 --queue-depth 1 disk.img
check_equal "1 queue" 1 "$(queues)"
check "one request at a time works" cmp disk.img "$DEV"
detach "$DEV"

for n in 4097 2147483648 4294967295; do
	kernel_refuses ERANGE nl-send attach backing-fd=9 queue-depth=$n 9<>disk.img
	kernel_refuses ERANGE nl-send attach backing-fd=9 nr-hw-queues=$n 9<>disk.img
done
kernel_refuses ERANGE nl-send attach backing-fd=9 nr-hw-queues=$((cpus + 1)) 9<>disk.img
check "nothing came into being" nothing_attached
