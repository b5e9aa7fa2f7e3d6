// SPDX-License-Identifier: GPL-2.0
/*
 * Owner: devices that belong to a netlink socket.
 *
 * Owns the news that a socket was closed, by close(2) or by the death of the last
 * process that had it.  Its devices are then detached as soon as nobody has them
 * open, so that a program that was killed leaves nothing behind.
 */

#include <linux/netlink.h>
#include <linux/notifier.h>
#include <net/net_namespace.h>

#include "dimgblk.h"

static void dimgblk_owner_work(struct work_struct *work)
{
	struct dimgblk_device *dev =
		container_of(work, struct dimgblk_device, owner_work);

	dimgblk_detach_abandon(dev);
	dimgblk_device_put(dev);
}

/*
 * Who closes a socket does not wait for open_mutex, which somebody may hold who
 * waits for a hung backing file; nor do the other subscribers of this chain.
 */
static int dimgblk_owner_notify(struct notifier_block *nb, unsigned long event,
				void *data)
{
	struct netlink_notify *closed = data;
	struct dimgblk_device *dev;

	if (event != NETLINK_URELEASE || closed->protocol != NETLINK_GENERIC ||
	    !net_eq(closed->net, &init_net) || !closed->portid)
		return NOTIFY_DONE;
	while ((dev = dimgblk_registry_take_owned(closed->portid)))
		dimgblk_device_queue_work(&dev->owner_work);
	return NOTIFY_DONE;
}

static struct notifier_block dimgblk_owner_notifier = {
	.notifier_call = dimgblk_owner_notify,
};

/**
 * dimgblk_owner_setup() - prepare a new device
 * @dev: device
 */
void dimgblk_owner_setup(struct dimgblk_device *dev)
{
	INIT_WORK(&dev->owner_work, dimgblk_owner_work);
}

/**
 * dimgblk_owner_init() - at module load
 *
 * Return: 0 or an errno.
 */
int dimgblk_owner_init(void)
{
	return netlink_register_notifier(&dimgblk_owner_notifier);
}

/**
 * dimgblk_owner_exit() - at module unload; no device is attached any more
 */
void dimgblk_owner_exit(void)
{
	netlink_unregister_notifier(&dimgblk_owner_notifier);
}
