// SPDX-License-Identifier: GPL-2.0
/*
 * settle.c - owns the wait after an attach until udev has seen the disk and
 * its partitions, so that links, permissions and blkid data are there when
 * dimgsetup returns; and that after a detach until it has taken them away. All
 * libudev calls are here.
 *
 * The kernel creates the nodes before it replies to the attach; without a
 * running udevd there is nothing to wait for.
 */
#include <errno.h>
#include <libudev.h>
#include <poll.h>
#include <stdlib.h>
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

/**
 * struct dimg_parting - a wait for udev's farewell to a device
 * @mon: its messages; they queue up from the beginning on
 * @set: the disk and its partitions
 * @n_left: members of @set that udev has not taken leave of
 */
struct dimg_parting {
	struct udev *udev;
	struct udev_monitor *mon;
	struct dimg_devset set;
	size_t n_left;
};

/**
 * dimg_parting_begin - get ready to wait for udev, before the detach
 *
 * Return: to be given to dimg_parting_end(); NULL if there is nothing to wait
 * for, or no way to.
 */
struct dimg_parting *dimg_parting_begin(const struct dimg_device *dev)
{
	struct dimg_parting *p;

	if (access(UDEV_CONTROL, F_OK))
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	p->udev = udev_new();
	if (p->udev)
		p->mon = udev_monitor_new_from_netlink(p->udev, "udev");
	if (!p->mon || dimg_devset_load(dev->major, dev->minor, &p->set))
		goto out_free;
	udev_monitor_filter_add_match_subsystem_devtype(p->mon, "block", NULL);
	if (udev_monitor_enable_receiving(p->mon))
		goto out_free;
	p->n_left = p->set.n;
	return p;
out_free:
	dimg_parting_end(p, false);
	return NULL;
}

/* Take one message; is it the farewell to a member? */
static bool is_farewell(const struct dimg_parting *p, struct udev_device *dev)
{
	const char *action = udev_device_get_action(dev);

	return action && !strcmp(action, "remove") &&
	       dimg_devset_has(&p->set, udev_device_get_devnum(dev));
}

/* Wait for the next message; false at the deadline. */
static bool next_farewell(struct dimg_parting *p, uint64_t deadline_us)
{
	struct pollfd pfd = {
		.fd = udev_monitor_get_fd(p->mon), .events = POLLIN,
	};
	uint64_t now = dimg_now_us();
	struct udev_device *dev;

	if (now >= deadline_us)
		return false;
	if (poll(&pfd, 1, (deadline_us - now) / 1000 + 1) <= 0)
		return true;
	dev = udev_monitor_receive_device(p->mon);
	if (dev && is_farewell(p, dev))
		p->n_left--;
	udev_device_unref(dev);
	return true;
}

/**
 * dimg_parting_end - wait until udev has removed the links of a device
 * @p: from dimg_parting_begin(), may be NULL; freed
 * @gone: whether the device was detached; if not there is no wait
 *
 * The device is gone whatever happens here; the next one of its number must not
 * be found under the links of this one.
 */
void dimg_parting_end(struct dimg_parting *p, bool gone)
{
	uint64_t deadline_us = dimg_now_us() + SETTLE_LIMIT_US;

	if (!p)
		return;
	while (gone && p->n_left && next_farewell(p, deadline_us))
		;
	if (gone && p->n_left)
		dimg_say(p->set.v[0].node,
			 "detached, but udev has not noticed within %llu s; stale links may be left in /dev/disk\n"
			 "\"udevadm settle\" waits longer; \"systemctl status systemd-udevd\" shows whether udev is well.",
			 SETTLE_LIMIT_US / 1000000);
	udev_monitor_unref(p->mon);
	udev_unref(p->udev);
	dimg_devset_free(&p->set);
	free(p);
}
