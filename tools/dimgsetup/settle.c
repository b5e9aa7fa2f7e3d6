// SPDX-License-Identifier: GPL-2.0
/*
 * settle.c - owns the waits for udev. After an attach, until it has seen the disk
 * and its partitions, so that links, permissions and blkid data are there when
 * dimgsetup returns; after a detach, until it has taken them away; after the
 * close of a disk that was written, until its look is over. All libudev calls
 * are here.
 *
 * The kernel creates the nodes before it replies to the attach; without a
 * running udevd there is nothing to wait for.
 */
#include <errno.h>
#include <fcntl.h>
#include <libudev.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "dimgsetup.h"

/* After this long without udev's answer the attach returns with a warning. */
#define SETTLE_LIMIT_US		(10 * 1000000ULL)
/* After this long nobody waits for a look that udev may have been spared. */
#define LOOK_LIMIT_US		(3 * 1000000ULL)
#define UDEV_CONTROL		"/run/udev/control"

/* dimg_now_us - microseconds on the clock that udev's time stamps use. */
uint64_t dimg_now_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000ULL + ts.tv_nsec / 1000;
}

/* A connection on which udev's messages about disks queue up from now on. */
static struct udev_monitor *listen_to_udev(struct udev *udev)
{
	struct udev_monitor *mon = udev_monitor_new_from_netlink(udev, "udev");

	if (!mon)
		return NULL;
	udev_monitor_filter_add_match_subsystem_devtype(mon, "block", NULL);
	if (!udev_monitor_enable_receiving(mon))
		return mon;
	udev_monitor_unref(mon);
	return NULL;
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
	/* listen first, look then: no event is lost in between */
	if (udev)
		mon = listen_to_udev(udev);
	if (mon)
		wait_ready(udev, mon, &set, since_us);
	else
		ret = -ENOMEM;
	udev_monitor_unref(mon);
	udev_unref(udev);
out_set:
	dimg_devset_free(&set);
	return ret;
}

typedef bool (*event_fn)(struct udev_device *event, const void *data);

/* Wait for the message that @is_it is true of; false after @limit_us. */
static bool wait_for_event(struct udev_monitor *mon, uint64_t limit_us,
			   event_fn is_it, const void *data)
{
	uint64_t deadline_us = dimg_now_us() + limit_us, now;
	struct pollfd pfd = {
		.fd = udev_monitor_get_fd(mon), .events = POLLIN,
	};
	struct udev_device *event;
	bool found = false;

	while (!found && (now = dimg_now_us()) < deadline_us) {
		if (poll(&pfd, 1, (deadline_us - now) / 1000 + 1) <= 0)
			continue;
		event = udev_monitor_receive_device(mon);
		found = event && is_it(event, data);
		udev_device_unref(event);
	}
	return found;
}

static bool is_action(struct udev_device *event, const char *action, dev_t dev)
{
	const char *what = udev_device_get_action(event);

	return what && !strcmp(what, action) &&
	       udev_device_get_devnum(event) == dev;
}

/**
 * struct dimg_parting - a wait for udev's farewell to a device
 * @mon: its messages; they queue up from the beginning on
 * @disk: the disk; udev takes leave of the partitions first
 */
struct dimg_parting {
	struct udev *udev;
	struct udev_monitor *mon;
	dev_t disk;
	char node[DIMG_NODE_LEN];
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
	p->disk = makedev(dev->major, dev->minor);
	snprintf(p->node, sizeof(p->node), DIMG_NODE_PREFIX "%u", dev->index);
	p->udev = udev_new();
	if (p->udev)
		p->mon = listen_to_udev(p->udev);
	if (p->mon)
		return p;
	dimg_parting_end(p, false);
	return NULL;
}

static bool is_farewell(struct udev_device *event, const void *data)
{
	const struct dimg_parting *p = data;

	return is_action(event, "remove", p->disk);
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
	if (!p)
		return;
	if (gone && !wait_for_event(p->mon, SETTLE_LIMIT_US, is_farewell, p))
		dimg_say(p->node,
			 "detached, but udev has not noticed within %llu s; stale links may be left in /dev/disk\n"
			 "\"udevadm settle\" waits longer; \"systemctl status systemd-udevd\" shows whether udev is well.",
			 SETTLE_LIMIT_US / 1000000);
	udev_monitor_unref(p->mon);
	udev_unref(p->udev);
	free(p);
}

/* What udev says when it has looked at a disk because somebody had written to it. */
struct second_look {
	dev_t disk;
	unsigned long long after;	/* the number of an earlier event */
};

static bool is_second_look(struct udev_device *event, const void *data)
{
	const struct second_look *look = data;

	return is_action(event, "change", look->disk) &&
	       udev_device_get_property_value(event, "SYNTH_UUID") &&
	       udev_device_get_seqnum(event) > look->after;
}

/* Does udev look at this disk whenever a writer has closed it? */
static bool is_watched(dev_t disk)
{
	char path[64], target[64];

	snprintf(path, sizeof(path), "/run/udev/watch/b%u:%u", major(disk),
		 minor(disk));
	return readlink(path, target, sizeof(target)) > 0;
}

static unsigned long long last_event(void)
{
	FILE *f = fopen("/sys/kernel/uevent_seqnum", "re");
	unsigned long long n = 0;

	if (f && fscanf(f, "%llu", &n) != 1)
		n = 0;
	if (f)
		fclose(f);
	return n;
}

/* The first partition of a disk, open; -1 if there is none. */
static int open_partition(const struct dimg_device *dev)
{
	char path[DIMG_NODE_LEN + 8];
	struct dimg_devset set;
	int fd = -1;

	if (!dimg_devset_load(dev->major, dev->minor, &set) && set.n > 1) {
		snprintf(path, sizeof(path), "/dev/%s", set.v[1].node);
		fd = open(path, O_RDONLY | O_CLOEXEC);
	}
	dimg_devset_free(&set);
	return fd;
}

/**
 * dimg_close_written - close a disk that is open for writing; nodes of its partitions stay
 * @fd: the disk, or -1; perhaps locked with flock(2), which udev respects
 *
 * After a writer's close udev has the kernel read the partition table again. That
 * removes the partitions and adds them anew: who uses the node of one right then
 * does not find it. As long as one of them is open the kernel refuses, and udev looks
 * at the disk without it. So one is open here until that is over.
 */
void dimg_close_written(int fd, const struct dimg_device *dev)
{
	struct second_look look = { makedev(dev->major, dev->minor), last_event() };
	struct udev_monitor *mon = NULL;
	struct udev *udev = NULL;
	int part_fd = -1;

	if (fd < 0)
		return;
	if (is_watched(look.disk))
		part_fd = open_partition(dev);
	if (part_fd >= 0)
		udev = udev_new();
	if (udev)
		mon = listen_to_udev(udev);
	close(fd);
	if (mon && !wait_for_event(mon, LOOK_LIMIT_US, is_second_look, &look))
		dimg_note(NULL, "did not wait any longer for udev to look at the disk");
	udev_monitor_unref(mon);
	udev_unref(udev);
	if (part_fd >= 0)
		close(part_fd);
}
