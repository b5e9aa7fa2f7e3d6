// SPDX-License-Identifier: GPL-2.0
/*
 * blockattr.c - owns the reading of attributes of block devices in sysfs, by the
 * number of the device.
 */
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "dimgsetup.h"

/**
 * dimg_blockattr - read the first line of an attribute
 * @name: such as "size" or "dm/name"
 * @s: empty if there is no such attribute
 *
 * Return: whether there is one.
 */
bool dimg_blockattr(dev_t dev, const char *name, char *s, size_t len)
{
	char path[PATH_MAX];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(dev),
		 minor(dev), name);
	f = fopen(path, "re");
	ok = f && fgets(s, len, f);
	if (f)
		fclose(f);
	if (!ok)
		*s = '\0';
	s[strcspn(s, "\n")] = '\0';
	return ok;
}

/* dimg_blockattr_dev - an attribute that is a device's number; 0 if it is none. */
dev_t dimg_blockattr_dev(dev_t dev, const char *name)
{
	unsigned int maj, min;
	char s[32];

	if (!dimg_blockattr(dev, name, s, sizeof(s)) ||
	    sscanf(s, "%u:%u", &maj, &min) != 2)
		return 0;
	return makedev(maj, min);
}
