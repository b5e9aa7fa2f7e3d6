// SPDX-License-Identifier: GPL-2.0
/*
 * below.c - owns the question whether a path lies, however far down, on one of
 * some devices: through mounts, partitions, device mapper, stock loop devices and
 * images of ours. Who writes there while they are frozen waits for ever.
 */
#include <dirent.h>
#include <libmount.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "dimgsetup.h"

/* More layers than the kernel would stack; also ends any loop in a lie. */
#define DEPTH_MAX	32

static bool device_lies_on(const struct dimg_devices *all, dev_t dev,
			   const struct dimg_devset *set, int depth);

/* The block device that the file system at @path is on; 0 if there is none. */
static dev_t device_of(const char *path)
{
	struct libmnt_table *tb = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libmnt_fs *fs = NULL;
	const char *source;
	struct stat st;
	dev_t dev = 0;

	if (tb)
		fs = mnt_table_find_mountpoint(tb, path, MNT_ITER_BACKWARD);
	if (fs) {
		source = mnt_fs_get_srcpath(fs);
		if (source && !strncmp(source, "/dev/", 5) &&
		    !stat(source, &st) && S_ISBLK(st.st_mode))
			dev = st.st_rdev;
		else
			dev = mnt_fs_get_devno(fs);
	}
	mnt_unref_table(tb);
	return dev;
}

static bool path_lies_on(const struct dimg_devices *all, const char *path,
			 const struct dimg_devset *set, int depth)
{
	dev_t dev = device_of(path);

	return dev && device_lies_on(all, dev, set, depth + 1);
}

/* Does one of the devices that @dev is made of lie on @set? */
static bool slaves_lie_on(const struct dimg_devices *all, dev_t dev,
			  const struct dimg_devset *set, int depth)
{
	struct dirent *entry;
	char path[PATH_MAX];
	bool found = false;
	dev_t slave;
	DIR *d;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major(dev),
		 minor(dev));
	d = opendir(path);
	while (d && !found && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "slaves/%s/dev", entry->d_name);
		slave = *entry->d_name == '.' ? 0 : dimg_blockattr_dev(dev, path);
		found = slave && device_lies_on(all, slave, set, depth + 1);
	}
	if (d)
		closedir(d);
	return found;
}

static bool device_lies_on(const struct dimg_devices *all, dev_t dev,
			   const struct dimg_devset *set, int depth)
{
	char path[PATH_MAX];
	size_t i;

	if (dimg_devset_has(set, dev))
		return true;
	if (depth > DEPTH_MAX)
		return false;
	for (i = 0; i < all->n; i++)
		if (makedev(all->v[i].major, all->v[i].minor) == dev)
			return all->v[i].backing_path &&
			       path_lies_on(all, all->v[i].backing_path, set, depth);
	if (dimg_blockattr(dev, "partition", path, sizeof(path)))
		return device_lies_on(all, dimg_blockattr_dev(dev, "../dev"), set, depth + 1);
	if (dimg_blockattr(dev, "loop/backing_file", path, sizeof(path)))
		return path_lies_on(all, path, set, depth);
	return slaves_lie_on(all, dev, set, depth);
}

/**
 * dimg_lies_on - whether a path lies on one of some devices
 * @all: every attached device
 * @path: of a file or directory that exists
 * @set: the devices
 */
bool dimg_lies_on(const struct dimg_devices *all, const char *path,
		  const struct dimg_devset *set)
{
	char *real = realpath(path, NULL);
	bool found = real && path_lies_on(all, real, set, 0);

	free(real);
	return found;
}
