// SPDX-License-Identifier: GPL-2.0
/*
 * A module with nothing special compiles: else the toolchain or the kernel
 * headers are broken and no other answer can be believed.
 */

#include <linux/module.h>

MODULE_LICENSE("GPL");
