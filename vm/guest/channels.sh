# SPDX-License-Identifier: GPL-2.0
# The guest's end of the channels to vm/run, for whatever is PID 1: what vm/run
# decided (config), the three virtio ports stdout, stderr and verdict, the run of
# the command and the exit of QEMU. The console belongs to the kernel. Sourced.
# shellcheck shell=sh

PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
HOME=/root
LANG=C.UTF-8
DIMGBLK_KO=/opt/dimgblk/dimgblk.ko

# VM_TIMEOUT, VM_SHARE, VM_SHELL, VM_SLOW, VM_PATIENCE and so on. What changes from boot to
# boot, VM_TIMEOUT and VM_BOOT, is on the kernel's command line then.
# shellcheck source=/dev/null # vm/run writes it
. /opt/dimgblk/run/config
export PATH HOME LANG DIMGBLK_KO VM_SLOW VM_PATIENCE

say_console()
{
	printf 'vm: %s\n' "$*" >/dev/kmsg
}

port()
{
	for _p in /sys/class/virtio-ports/*; do
		read -r _name <"$_p/name" || continue
		[ "$_name" != "dimgblk.$1" ] || printf '/dev/%s\n' "${_p##*/}"
	done
}

# finish WORD...: the verdict, then off. QEMU leaves at this write to its exit
# port; the reboot behind it is for a QEMU that has none.
finish()
{
	say_console "verdict: $*"
	echo "$*" >"$(port verdict)"
	printf '\007' | dd of=/dev/port bs=1 seek=$((0xf4)) count=1 conv=notrunc 2>/dev/null
	echo b >/proc/sysrq-trigger
}

# tell_coverage: which lines of the module ran, test by test, where vm/run wants to
# know (vm/coverage).
tell_coverage()
{
	_port=$(port coverage)
	[ -n "$_port" ] || return 0
	/opt/dimgblk/guest/count-lines -
	[ ! -d /run/coverage ] || tar -C /run/coverage -cf "$_port" .
}

# finish_command: the verdict of a command that has ended, if the detectors of a
# debug kernel were awake to the end and saw nothing.
finish_command()
{
	tell_coverage
	_trouble=$(/opt/dimgblk/guest/detectors) || finish "broken: $_trouble"
	finish "exit $status"
}

# out_of_patience: a guest whose command hangs says where, shortly before the
# host's patience ends.
out_of_patience()
{
	/opt/dimgblk/guest/where-it-hangs "the command still runs after $VM_TIMEOUT s"
	finish timeout
}

mount_share()
{
	[ "$VM_SHARE" = 1 ] || return 0
	modprobe -a 9p 9pnet_virtio
	mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000 host /mnt/host ||
		finish "broken: /mnt/host cannot be mounted"
}

umount_share()
{
	[ "$VM_SHARE" = 1 ] || return 0
	cd /
	umount /mnt/host 2>/dev/null || sync -f /mnt/host
}

# run_command: sets status when it has ended and its output is with the host.
# Through fifos, because a virtio port can be opened only once and commands may
# well open /dev/stderr again.
run_command()
{
	mkfifo /run/stdout /run/stderr
	cat /run/stdout >"$(port stdout)" &
	out=$!
	cat /run/stderr >"$(port stderr)" &
	err=$!
	say_console "running the command"
	setsid sh -c '. /opt/dimgblk/run/command; exec "$@"' \
		</dev/null >/run/stdout 2>/run/stderr &
	command=$!
	wait $command
	# shellcheck disable=SC2034 # the result
	status=$?
	# What the command left running ends here, else it would hold the fifos
	# open. A daemon in a session of its own gets a moment, no more.
	pkill -KILL -s $command
	for cat in $out $err; do
		timeout 2 tail -s 0.1 --pid="$cat" -f /dev/null
	done
}
