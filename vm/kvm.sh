# SPDX-License-Identifier: GPL-2.0
# kvm_usable: does a guest make progress under /dev/kvm here? Asked of a boot
# sector that spins 2^24 turns and then leaves through QEMU's exit port: real KVM
# does that in a fraction of a second, a nested paravirtual-only KVM never. The
# answer is kept for as long as the machine is up.
# shellcheck shell=sh

kvm_usable()
{
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	_cached=$CACHE/kvm-$(cat /proc/sys/kernel/random/boot_id)
	if [ ! -f "$_cached" ]; then
		mkdir -p "$CACHE"
		rm -f "$CACHE"/kvm-*
		_sector=$(mktemp "$CACHE/sector-XXXXXX")
		# cli; mov ecx, 1 << 24; l: dec ecx; jnz l;
		# mov al, 16; mov dx, 0xf4; out dx, al; h: hlt; jmp h
		printf '\372\146\271\000\000\000\001\146\111\165\374\260\020\272\364\000\356\364\353\375' >"$_sector"
		printf '\125\252' | dd of="$_sector" bs=1 seek=510 conv=notrunc 2>/dev/null
		truncate -s 1M "$_sector"
		_code=0
		timeout -k 1 4 qemu-system-x86_64 -accel kvm -M pc -nodefaults \
			-no-user-config -display none \
			-device isa-debug-exit,iobase=0xf4,iosize=1 \
			-drive "file=$_sector,format=raw,if=ide" \
			</dev/null >/dev/null 2>&1 || _code=$?
		rm -f "$_sector"
		# QEMU's status is 2 * al + 1.
		[ $_code = 33 ] && echo yes >"$_cached" || echo no >"$_cached"
	fi
	[ "$(cat "$_cached")" = yes ]
}
