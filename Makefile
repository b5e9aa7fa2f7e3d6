# SPDX-License-Identifier: GPL-2.0
#
# One entry for each thing a developer or packager does.  No logic here: kbuild
# builds the module (Kbuild), tools/Makefile the tool, selftests/Makefile the
# tests, vm/ boots the kernels.  `make help` lists the targets.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 7.3
PREFIX ?= /usr
DEPMOD ?= /sbin/depmod

# Release of the kernel in KDIR, which need not be the running one.  From where
# modules take it: kernelrelease of Debian 12's kbuild is another one.
KVER = $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' \
	$(KDIR)/include/generated/utsrelease.h)
HAVE_KDIR = $(wildcard $(KDIR)/Makefile)
MODULE_DIR = $(DESTDIR)/lib/modules/$(KVER)/updates
UAPI_DIR = $(DESTDIR)$(PREFIX)/include/linux

all: module tool

module:
	$(if $(HAVE_KDIR),,$(error no kernel headers in $(KDIR): install \
		linux-headers for that kernel or say where they are with KDIR=))
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

tool:
	$(MAKE) -C tools

helpers:
	$(MAKE) -C selftests

unit:
	$(MAKE) -C tools unit
	$(MAKE) -C selftests/unit run

lint:
	@tools/lint.sh

check:
	vm/check

check-night:
	vm/campaign night

check-release:
	vm/campaign release

coverage:
	vm/coverage

test:
	vm/check --kernel $(KERNEL) $(TEST)

demo:
	vm/demo

bench:
	vm/bench

vm-shell:
	vm/shell $(KERNEL)

regen:
	tools/regen-netlink.sh

# Signed if the key of the kernel is there, which a distribution keeps to itself.
# depmod writes an index of the whole module tree, so it is for the real one
# only; a package runs it when it is installed.
install: all
	$(MAKE) -C $(KDIR) M=$(CURDIR) INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates \
		$(if $(wildcard $(KDIR)/certs/signing_key.pem),,CONFIG_MODULE_SIG_ALL=) \
		modules_install
	$(if $(DESTDIR),,$(DEPMOD) -a $(KVER))
	$(MAKE) -C tools install
	install -D -m 644 uapi/linux/dimgblk.h $(UAPI_DIR)/dimgblk.h

uninstall:
	rm -f $(MODULE_DIR)/dimgblk.ko $(MODULE_DIR)/dimgblk.ko.*
	$(if $(DESTDIR),,$(DEPMOD) -a $(KVER))
	$(MAKE) -C tools uninstall
	rm -f $(UAPI_DIR)/dimgblk.h

clean:
	$(if $(HAVE_KDIR),$(MAKE) -C $(KDIR) M=$(CURDIR) clean)
	$(MAKE) -C tools clean
	$(MAKE) -C selftests clean
	$(MAKE) -C selftests/unit clean

help:
	@echo 'Build (KDIR= picks the kernel, default the running one):'
	@echo '  all        module and tool; the default'
	@echo '  module     dimgblk.ko'
	@echo '  tool       tools/dimgsetup/dimgsetup'
	@echo '  helpers    the C helpers of the selftests'
	@echo '  install    module, tool, man page, header (DESTDIR=, PREFIX=/usr)'
	@echo '  uninstall  remove what install put there'
	@echo '  clean      remove what was built'
	@echo 'Check (none of these needs or changes the running kernel):'
	@echo '  demo       use the driver in a VM, from nothing (vm/demo)'
	@echo '  check      all tests on all kernels in VMs, from nothing (vm/check)'
	@echo '  check-night, check-release'
	@echo '             attacks that take hours, or days (vm/campaign)'
	@echo '  coverage   which lines of the driver the tests reach (vm/coverage)'
	@echo '  test       one kernel, some tests: KERNEL=6.1|6.12|7.3|debug|kcsan TEST=name'
	@echo '  unit       unit tests in userspace, under ASan and UBSan'
	@echo '  lint       static checks; silent but for the summary'
	@echo '  bench      latencies and context switches next to stock loop (vm/bench)'
	@echo '  vm-shell   a shell in a VM: KERNEL=6.1|6.12|7.3|debug|kcsan'
	@echo 'Other:'
	@echo '  regen      make the files generated from the netlink spec anew'

.PHONY: all module tool helpers unit lint check check-night check-release coverage test \
	demo bench vm-shell regen install uninstall clean help
