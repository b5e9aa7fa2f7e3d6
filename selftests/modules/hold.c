// SPDX-License-Identifier: GPL-2.0
/*
 * Opens a file inside the kernel until it is unloaded, as a target of the kernel does
 * with a disk: no process has it. Parameter path.
 */
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/module.h>

static char *path = "";
static struct file *held;

module_param(path, charp, 0400);

static int __init hold_init(void)
{
	held = filp_open(path, O_RDWR | O_LARGEFILE, 0);
	return PTR_ERR_OR_ZERO(held);
}

static void __exit hold_exit(void)
{
	filp_close(held, NULL);
}

module_init(hold_init);
module_exit(hold_exit);
MODULE_DESCRIPTION("a user in the kernel, for the tests of dimgblk");
MODULE_LICENSE("GPL");
