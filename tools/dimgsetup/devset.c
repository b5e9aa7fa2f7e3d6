// SPDX-License-Identifier: GPL-2.0
/*
 * devset.c - owns the question which device numbers make up a disk: the disk
 * itself and its partitions, as sysfs tells; or a partition and its disk.
 *
 * holders.c asks who uses any of them, settle.c whether all are ready.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

/* The errno of a look at a device in sysfs, or -ENOENT if that has vanished. */
static int vanished_or(int err)
{
	return err == ENODEV || err == ENXIO || err == ENOTDIR ? -ENOENT : -err;
}

/* Read "MAJOR:MINOR" from the file @path; -ENOENT if the device has vanished. */
static int read_number(int dir_fd, const char *path, dev_t *dev)
{
	unsigned int maj, min;
	int fd, n, err;
	FILE *f;

	*dev = 0;
	fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return vanished_or(errno);
	f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	errno = 0;
	n = fscanf(f, "%u:%u", &maj, &min);
	err = n != 2 && errno ? errno : ENOENT;
	fclose(f);
	if (n != 2)
		return vanished_or(err);
	*dev = makedev(maj, min);
	return 0;
}

/*
 * Read the number of the partition @name in the sysfs folder @d of a disk.
 * Return: 0; -ENOENT if @name is no partition, or one that has just vanished.
 */
static int read_partition(DIR *d, const char *name, dev_t *dev)
{
	char path[NAME_MAX + 16];

	snprintf(path, sizeof(path), "%s/partition", name);
	if (*name == '.')
		return -ENOENT;
	if (faccessat(dirfd(d), path, F_OK, 0))
		return vanished_or(errno);
	snprintf(path, sizeof(path), "%s/dev", name);
	return read_number(dirfd(d), path, dev);
}

static int add_member(struct dimg_devset *set, const char *node, dev_t dev)
{
	struct dimg_devset_member *v;

	v = reallocarray(set->v, set->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	set->v = v;
	v = &v[set->n++];
	v->dev = dev;
	snprintf(v->node, sizeof(v->node), "%s", node);
	return 0;
}

static int add_partitions(struct dimg_devset *set, const char *dir)
{
	struct dirent *entry;
	DIR *d = opendir(dir);
	int ret = 0;
	dev_t dev;

	if (!d)
		return -errno;
	while (!ret && (entry = dimg_readdir(d, &ret))) {
		ret = read_partition(d, entry->d_name, &dev);
		if (!ret)
			ret = add_member(set, entry->d_name, dev);
		else if (ret == -ENOENT)
			ret = 0;
	}
	closedir(d);
	return ret;
}

/* The disk that the partition with the sysfs folder @dir is on. */
static int add_disk(struct dimg_devset *set, const char *dir)
{
	const char *disk;
	char path[PATH_MAX + 16], *slash;
	dev_t dev;
	int ret;

	snprintf(path, sizeof(path), "%s/../dev", dir);
	ret = read_number(AT_FDCWD, path, &dev);
	if (ret)
		return ret;
	/* its folder holds that of the partition */
	snprintf(path, sizeof(path), "%s", dir);
	slash = strrchr(path, '/');
	*slash = '\0';
	disk = strrchr(path, '/') + 1;
	return add_member(set, disk, dev);
}

/**
 * dimg_devset_load - collect a disk and its partitions
 * @major: number of the disk, or of one partition: then that and its disk, as
 *	whoever claims the disk keeps others from the partition
 * @set: filled in; give it to dimg_devset_free(), after a failure too
 *
 * What @major and @minor name comes first.
 *
 * Return: 0, or -errno; -ENOENT if there is no such device.
 */
int dimg_devset_load(unsigned int major, unsigned int minor,
		     struct dimg_devset *set)
{
	char path[64], partition[80], dir[PATH_MAX];
	int ret;

	memset(set, 0, sizeof(*set));
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major, minor);
	/* the last part of the real path is the name of the node */
	if (!realpath(path, dir))
		return -errno;
	ret = add_member(set, strrchr(dir, '/') + 1, makedev(major, minor));
	if (ret)
		return ret;
	snprintf(partition, sizeof(partition), "%s/partition", path);
	if (!access(partition, F_OK))
		return add_disk(set, dir);
	return errno == ENOENT ? add_partitions(set, dir) : -errno;
}

/* What a holders folder of sysfs lists: device mapper, md and the like. */
static int add_holders_of(struct dimg_devset *set, dev_t dev)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0;
	dev_t above;
	DIR *d;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/holders",
		 major(dev), minor(dev));
	d = opendir(path);
	/* the device may have gone meanwhile */
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while (!ret && (entry = dimg_readdir(d, &ret))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/dev", entry->d_name);
		ret = read_number(dirfd(d), path, &above);
		if (!ret && !dimg_devset_has(set, above))
			ret = add_member(set, entry->d_name, above);
		else if (ret == -ENOENT)
			ret = 0;
	}
	closedir(d);
	return ret;
}

/**
 * dimg_devset_add_holders - add the devices that are made of those in the set
 *
 * All the way up: a volume of LVM in an encrypted partition comes along.
 *
 * Return: 0 or -errno.
 */
int dimg_devset_add_holders(struct dimg_devset *set)
{
	size_t i;
	int ret = 0;

	/* the set grows under way, each member is visited once */
	for (i = 0; !ret && i < set->n; i++)
		ret = add_holders_of(set, set->v[i].dev);
	return ret;
}

/* dimg_devset_merge - add what another set has; 0 or -errno. */
int dimg_devset_merge(struct dimg_devset *set, const struct dimg_devset *more)
{
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < more->n; i++)
		if (!dimg_devset_has(set, more->v[i].dev))
			ret = add_member(set, more->v[i].node, more->v[i].dev);
	return ret;
}

/* dimg_devset_has - whether @dev is the disk or one of its partitions. */
bool dimg_devset_has(const struct dimg_devset *set, dev_t dev)
{
	size_t i;

	for (i = 0; i < set->n; i++)
		if (set->v[i].dev == dev)
			return true;
	return false;
}

/**
 * dimg_devset_of_node - the member that a path is the node of, or a link to; 0 if none
 */
dev_t dimg_devset_of_node(const struct dimg_devset *set, const char *path)
{
	struct stat st;

	/* only below /dev: elsewhere stat() could hang on a dead server */
	if (!path || strncmp(path, "/dev/", 5) || stat(path, &st) ||
	    !S_ISBLK(st.st_mode) || !dimg_devset_has(set, st.st_rdev))
		return 0;
	return st.st_rdev;
}

/* dimg_devset_has_node - whether a path is a node of the disk, or a link to one. */
bool dimg_devset_has_node(const struct dimg_devset *set, const char *path)
{
	return dimg_devset_of_node(set, path);
}

/**
 * dimg_devset_mounted - the member that a mount shows; 0 if none is
 *
 * A file system with several devices has a number of its own, and its source is compared.
 * Of others the source is what who mounted it has said, who may be anybody.
 */
dev_t dimg_devset_mounted(const struct dimg_devset *set, struct libmnt_fs *fs)
{
	static const char * const of_several[] = { "btrfs", "bcachefs" };
	const char *type = mnt_fs_get_fstype(fs);
	dev_t super = mnt_fs_get_devno(fs);
	size_t i;

	if (dimg_devset_has(set, super))
		return super;
	for (i = 0; type && i < sizeof(of_several) / sizeof(*of_several); i++)
		if (!strcmp(type, of_several[i]))
			return dimg_devset_of_node(set, mnt_fs_get_srcpath(fs));
	return 0;
}

/* dimg_devset_free - give back a set; it is empty afterwards. */
void dimg_devset_free(struct dimg_devset *set)
{
	free(set->v);
	memset(set, 0, sizeof(*set));
}
