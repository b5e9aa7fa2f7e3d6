// SPDX-License-Identifier: GPL-2.0
/*
 * device.c - owns the memory of struct dimg_device and of lists of them.
 *
 * nlparse.c fills devices in, the commands only read them. A device owns its three
 * strings; a list owns its devices. From an open on, a device keeps its number.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dimgsetup.h"

/**
 * dimg_device_free - give back the strings of a device, not the struct itself
 *
 * The device may be freed twice: it is empty afterwards.
 */
void dimg_device_free(struct dimg_device *dev)
{
	free(dev->name);
	free(dev->direct_reason);
	free(dev->backing_path);
	memset(dev, 0, sizeof(*dev));
}

/**
 * dimg_devices_add - append a device to a list
 * @dev: its strings move to the list; on failure too, where they are freed
 *
 * Return: 0, or -ENOMEM with the list unchanged.
 */
int dimg_devices_add(struct dimg_devices *devs, struct dimg_device *dev)
{
	struct dimg_device *v;

	v = reallocarray(devs->v, devs->n + 1, sizeof(*v));
	if (!v) {
		dimg_device_free(dev);
		return -ENOMEM;
	}
	devs->v = v;
	v[devs->n++] = *dev;
	/* the caller's copy must not free what the list owns now */
	memset(dev, 0, sizeof(*dev));
	return 0;
}

/* Copy one string; NULL stays NULL and is no failure. */
static int string_copy(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

/**
 * dimg_devices_copy - append a copy of a device to a list
 *
 * Return: 0, or -ENOMEM with the list unchanged.
 */
int dimg_devices_copy(struct dimg_devices *devs, const struct dimg_device *dev)
{
	struct dimg_device copy = *dev;
	int ret;

	/* all three are assigned before any is freed: none may stay shared */
	ret = string_copy(&copy.name, dev->name);
	ret |= string_copy(&copy.direct_reason, dev->direct_reason);
	ret |= string_copy(&copy.backing_path, dev->backing_path);
	if (ret) {
		dimg_device_free(&copy);
		return -ENOMEM;
	}
	return dimg_devices_add(devs, &copy);
}

/* For qsort(): the disk sequence number tells the age, an index is used again. */
static int newer_first(const void *a, const void *b)
{
	const struct dimg_device *x = a, *y = b;

	return (x->diskseq < y->diskseq) - (x->diskseq > y->diskseq);
}

/**
 * dimg_devices_newest_first - sort a list for detaching
 *
 * An image may lie on a device that was attached before it.
 */
void dimg_devices_newest_first(struct dimg_devices *devs)
{
	if (devs->n)
		qsort(devs->v, devs->n, sizeof(*devs->v), newer_first);
}

/**
 * dimg_devices_free - give back a list and its devices
 *
 * The list is empty afterwards and can be filled again.
 */
void dimg_devices_free(struct dimg_devices *devs)
{
	size_t i;

	for (i = 0; i < devs->n; i++)
		dimg_device_free(&devs->v[i]);
	free(devs->v);
	devs->v = NULL;
	devs->n = 0;
}

/**
 * dimg_device_open - open the node of a device, or of a partition of it
 * @node: path of the node
 * @flags: for open(), as O_RDONLY; close-on-exec is added
 * @diskseq: of the device that is meant
 *
 * What a node is called may be another device by now.
 *
 * Return: the descriptor, or -errno: -ESTALE if it is another one.
 */
int dimg_device_open(const char *node, int flags, uint64_t diskseq)
{
	int fd = open(node, flags | O_CLOEXEC), ret;
	uint64_t seq;

	if (fd < 0)
		return -errno;
	ret = ioctl(fd, BLKGETDISKSEQ, &seq) ? -errno : -ESTALE;
	if (ret == -ESTALE && seq == diskseq)
		return fd;
	close(fd);
	return ret;
}
