# SPDX-License-Identifier: GPL-2.0
# Failures on demand under the workers of the driver: of memory, by failslab and
# fail_page_alloc where the kernel can tell that an allocation was asked for by way of
# our module, else by modules/failwork.ko; of a disk, by fail_make_request or by the
# same module. Owns their settings and the count of what failed. Sourced after
# dimgblk.sh.
# shellcheck shell=bash

FAULTS=/sys/kernel/debug
FAILWORK=/sys/module/failwork/parameters
# More than ever fail; what is left of it tells how many did.
PLENTY=1000000000
FAILED_SLAB=0 FAILED_PAGES=0 FAILED_BIOS=0

# failures_setup SEED [PARAMETER of failwork.ko]...: false if this kernel cannot.
failures_setup()
{
	FAIL_MEMORY=kernel FAIL_DISKS=kernel
	[ -e $FAULTS/failslab/require-start ] || FAIL_MEMORY=module
	[ -e $FAULTS/fail_make_request ] || FAIL_DISKS=module
	if [ $FAIL_MEMORY$FAIL_DISKS != kernelkernel ]; then
		insmod "$SELFTESTS/modules/failwork.ko" seed="$1" "${@:2}" || return 1
		defer rmmod failwork
	fi
	# Where vmalloc begins and what comes after it. Takes seconds on the debug kernel.
	[ $FAIL_MEMORY = module ] || VMALLOC=$(sort /proc/kallsyms | awk '
		found { print $1; found = 0 }
		$3 ~ /^__vmalloc_node_range(_noprof)?$/ { print $1; found = 1 }')
	failures_off
	FAILED_SLAB=0 FAILED_PAGES=0 FAILED_BIOS=0
	note "memory fails by the $FAIL_MEMORY, disks by the $FAIL_DISKS"
	# There are many, each with a line.
	dmesg -n err
	defer failures_off
}

# fault_arm NAME PERCENT [OF-EACH]: without a trace of each in the log.
fault_arm()
{
	local f=$FAULTS/$1
	echo 0 >"$f/verbose"
	echo "${3:-1}" >"$f/interval"
	echo $PLENTY >"$f/times"
	echo "$2" >"$f/probability"
}

# fault_disarm NAME: prints how many it was.
fault_disarm()
{
	local left
	echo 0 >"$FAULTS/$1/probability"
	read -r left <"$FAULTS/$1/times"
	echo 0 >"$FAULTS/$1/times"
	fault_everyones "$1"
	[ "$left" = 0 ] || echo $((PLENTY - left))
}

# fault_everyones NAME: whoever asks, as it is after boot.
fault_everyones()
{
	[ -e "$FAULTS/$1/require-start" ] || return 0
	echo 0 >"$FAULTS/$1/require-start"
	echo 0xffffffffffffffff >"$FAULTS/$1/require-end"
	echo 0 >"$FAULTS/$1/reject-start"
	echo 0 >"$FAULTS/$1/reject-end"
}

# fault_ours NAME: only what our module asked for, also if it may wait for memory. Not what
# vmalloc asks for, which tells of a refusal with a trace.
fault_ours()
{
	local f=$FAULTS/$1 start size
	read -r start </sys/module/dimgblk/sections/.text
	size=$(awk '$1 == "dimgblk" { print $2 }' /proc/modules)
	echo "$start" >"$f/require-start"
	printf '0x%x\n' $((start + size)) >"$f/require-end"
	echo "0x${VMALLOC%$'\n'*}" >"$f/reject-start"
	echo "0x${VMALLOC#*$'\n'}" >"$f/reject-end"
	echo 32 >"$f/stacktrace-depth"
	echo N >"$f/ignore-gfp-wait"
	[ ! -e "$f/min-order" ] || echo 0 >"$f/min-order"
	[ ! -e "$f/ignore-gfp-highmem" ] || echo N >"$f/ignore-gfp-highmem"
}

# fail_slab PERCENT [N]; fail_pages PERCENT [N]: from now on; N: of each N-th only.
# fail_disks PERCENT DISK...
fail_slab()
{
	if [ "$FAIL_MEMORY" = kernel ]; then
		fault_ours failslab
		fault_arm failslab "$@"
	else
		echo $(($1 * 100 / ${2:-1})) >$FAILWORK/slab
	fi
}

fail_pages()
{
	if [ "$FAIL_MEMORY" = kernel ]; then
		fault_ours fail_page_alloc
		fault_arm fail_page_alloc "$@"
	else
		echo $(($1 * 100 / ${2:-1})) >$FAILWORK/pages
	fi
}

fail_disks()
{
	local name dev list=
	for name in "${@:2}"; do
		read -r dev <"/sys/block/${name#/dev/}/dev"
		list=$list${list:+,}$((${dev%:*} << 20 | ${dev#*:}))
		[ "$FAIL_DISKS" = module ] || echo 1 >"/sys/block/${name#/dev/}/make-it-fail"
	done
	if [ "$FAIL_DISKS" = kernel ]; then
		fault_arm fail_make_request "$1"
	else
		echo "$list" >$FAILWORK/disks
		echo $(($1 * 100)) >$FAILWORK/bios
	fi
}

# failures_off: nothing fails any more; FAILED_... are how many did, in all.
failures_off()
{
	local n
	if [ "$FAIL_MEMORY" = kernel ]; then
		n=$(fault_disarm failslab)
		FAILED_SLAB=$((FAILED_SLAB + ${n:-0}))
		n=$(fault_disarm fail_page_alloc)
		FAILED_PAGES=$((FAILED_PAGES + ${n:-0}))
	else
		echo 0 >$FAILWORK/slab
		echo 0 >$FAILWORK/pages
		read -r FAILED_SLAB <$FAILWORK/failed_slab
		read -r FAILED_PAGES <$FAILWORK/failed_pages
	fi
	if [ "$FAIL_DISKS" = kernel ]; then
		n=$(fault_disarm fail_make_request)
		FAILED_BIOS=$((FAILED_BIOS + ${n:-0}))
		for n in /sys/block/*/make-it-fail; do
			echo 0 >"$n"
		done
	else
		echo 0 >$FAILWORK/bios
		read -r FAILED_BIOS <$FAILWORK/failed_bios
	fi
}
