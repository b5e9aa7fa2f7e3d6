// SPDX-License-Identifier: GPL-2.0
/*
 * Takes the name of our netlink family, so that dimgblk fails at the last step of
 * its initialisation. Does nothing else.
 */
#include <linux/module.h>
#include <net/genetlink.h>

#include <uapi/linux/dimgblk.h>

static struct genl_family taken = {
	.name = DIMGBLK_FAMILY_NAME,
	.version = 1,
	.module = THIS_MODULE,
};

static int __init taken_init(void)
{
	return genl_register_family(&taken);
}

static void __exit taken_exit(void)
{
	genl_unregister_family(&taken);
}

module_init(taken_init);
module_exit(taken_exit);
MODULE_DESCRIPTION("has the name of dimgblk's netlink family");
MODULE_LICENSE("GPL");
