// SPDX-License-Identifier: GPL-2.0
/*
 * settle.c - owns the wait after an attach until udev has seen the disk and
 * its partitions, so that links, permissions and blkid data are there when
 * dimgsetup returns. All libudev calls are here.
 *
 * The kernel creates the nodes before it replies to the attach; without a
 * running udevd there is nothing to wait for.
 */
#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dimgsetup.h"

/* After this long without udev's answer the attach returns with a warning. */
#define SETTLE_LIMIT_US		(10 * 1000000ULL)
#define UDEV_CONTROL		"/run/udev/control"

/* dimg_now_us - microseconds on the clock that udev's time stamps use. */
uint64_t dimg_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/*
 * Has udev handled this device since @since_us? Numbers are used again: an
 * entry of an earlier device of this number is no answer.
 */
static bool is_ready(struct udev *udev, const struct dimg_devset_member *m,
		     uint64_t since_us)
{
	struct udev_device *dev = udev_device_new_from_devnum(udev, 'b', m->dev);
	char path[DIMG_NODE_LEN + 8];
	bool ready;

	if (!dev)
		return false;
	ready = udev_device_get_is_initialized(dev) > 0 &&
		udev_device_get_usec_since_initialized(dev) <=
		dimg_now_us() - since_us;
	udev_device_unref(dev);
	snprintf(path, sizeof(path), "/dev/%s", m->node);
	return ready && !access(path, F_OK);
}

/* The first member that udev has not handled; NULL if there is none. */
static const char *first_unready(struct udev *udev,
				 const struct dimg_devset *set,
				 uint64_t since_us)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (!is_ready(udev, &set->v[i], since_us))
			return set->v[i].node;
	return NULL;
}

/* Wait for one more event of udev; -ETIMEDOUT at the deadline. */
static int wait_event(struct udev_monitor *mon, uint64_t deadline_us)
{
	struct pollfd pfd = {
		.fd = udev_monitor_get_fd(mon), .events = POLLIN,
	};
	uint64_t now = dimg_now_us();

	if (now >= deadline_us)
		return -ETIMEDOUT;
	if (poll(&pfd, 1, (deadline_us - now) / 1000 + 1) > 0)
		udev_device_unref(udev_monitor_receive_device(mon));
	return 0;
}

/* The wait itself, with udevd's messages coming in on @mon. */
static void wait_ready(struct udev *udev, struct udev_monitor *mon,
		       const struct dimg_devset *set, uint64_t since_us)
{
	uint64_t deadline_us = dimg_now_us() + SETTLE_LIMIT_US;
	const char *node;

	for (;;) {
		node = first_unready(udev, set, since_us);
		if (!node)
			return;
		if (wait_event(mon, deadline_us))
			break;
	}
	dimg_say(node,
		 "attached, but udev has not handled it within %llu s; links in /dev/disk may be missing\n"
		 "\"udevadm settle\" waits longer; \"systemctl status systemd-udevd\" shows whether udev is well.",
		 SETTLE_LIMIT_US / 1000000);
}

/**
 * dimg_settle - wait until udev has handled a new device
 * @since_us: dimg_now_us() from before the attach
 *
 * The device is attached whatever happens here, so trouble is only warned of.
 *
 * Return: 0, or -errno if there was no way to wait.
 */
int dimg_settle(const struct dimg_device *dev, uint64_t since_us)
{
	struct udev_monitor *mon = NULL;
	struct dimg_devset set;
	struct udev *udev;
	int ret;

	if (access(UDEV_CONTROL, F_OK))
		return 0;
	ret = dimg_devset_load(dev->major, dev->minor, &set);
	if (ret)
		goto out_set;
	udev = udev_new();
	if (udev)
		mon = udev_monitor_new_from_netlink(udev, "udev");
	ret = -ENOMEM;
	if (!mon)
		goto out_udev;
	udev_monitor_filter_add_match_subsystem_devtype(mon, "block", NULL);
	/* listen first, look then: no event is lost in between */
	ret = udev_monitor_enable_receiving(mon);
	if (!ret)
		wait_ready(udev, mon, &set, since_us);
	udev_monitor_unref(mon);
out_udev:
	udev_unref(udev);
out_set:
	dimg_devset_free(&set);
	return ret;
}
