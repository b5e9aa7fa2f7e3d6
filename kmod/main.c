// SPDX-License-Identifier: GPL-2.0
/*
 * dimgblk: disk images as block devices.
 *
 * Owns loading and unloading, nothing else.  Read dimgblk.h next: it is the map.
 */

#include <linux/module.h>

#include "dimgblk.h"

unsigned int dimgblk_max_devices = 4096;
module_param_named(max_devices, dimgblk_max_devices, uint, 0444);
MODULE_PARM_DESC(max_devices, "most devices attached at a time (4096)");

static int __init dimgblk_init(void)
{
	int err;

	err = dimgblk_device_init();
	if (err)
		return err;
	err = dimgblk_follow_init();
	if (err)
		goto err_device_exit;
	err = dimgblk_owner_init();
	if (err)
		goto err_follow_exit;
	/* Last: from here on requests come in. */
	err = dimgblk_nl_init();
	if (err)
		goto err_owner_exit;
	return 0;

err_owner_exit:
	dimgblk_owner_exit();
err_follow_exit:
	dimgblk_follow_exit();
err_device_exit:
	dimgblk_device_exit();
	return err;
}

static void __exit dimgblk_exit(void)
{
	dimgblk_nl_exit();
	dimgblk_owner_exit();
	dimgblk_device_drain();
	/* The tails of what freed their marks. */
	dimgblk_follow_exit();
	dimgblk_device_exit();
}

module_init(dimgblk_init);
module_exit(dimgblk_exit);

/*
 * No alias of the netlink family: it would let an unprivileged look-up of the
 * name load the module.
 */
MODULE_DESCRIPTION("Disk images as block devices");
MODULE_AUTHOR("The dimgblk developers");
MODULE_LICENSE("GPL");
