// SPDX-License-Identifier: GPL-2.0
/*
 * resolve.c - owns the meaning of the argument DEV|IMAGE|NAME of all commands.
 *
 * /dev/dimgblkN and dimgblkN are devices; other text with a slash is a path: of
 * a node, a link to a node, or an image; text without a slash is a name first,
 * then a path. Text that is a name and a path of different devices is refused.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

/* The kernel marks the path of a file that has no name any more like this. */
#define DELETED_MARK	" (deleted)"

static int fail_memory(void)
{
	struct dimg_error e;

	dimg_error_set(&e, ENOMEM, "%s", "");
	return dimg_fail(NULL, &e);
}

static int fail_not_attached(const char *arg)
{
	dimg_say(arg, "is not attached\n\"dimgsetup list\" shows what is.");
	return DIMG_EXIT_NOT_FOUND;
}

/* Does the kernel's path of the backing file name the file @path? */
static bool same_path(const char *backing_path, const char *path)
{
	size_t len = strlen(path);

	return !strncmp(backing_path, path, len) &&
	       (!backing_path[len] || !strcmp(backing_path + len, DELETED_MARK));
}

/*
 * The absolute path of @arg even if the file is gone but its directory is not,
 * so that an image can be detached after it was deleted. To be freed.
 */
static char *absolute_path(const char *arg)
{
	char *path = realpath(arg, NULL), *dir, *copy;
	const char *slash = strrchr(arg, '/');

	if (path)
		return path;
	copy = slash ? strndup(arg, slash - arg + 1) : strdup(".");
	dir = copy ? realpath(copy, NULL) : NULL;
	if (dir && asprintf(&path, "%s/%s", strcmp(dir, "/") ? dir : "",
			    slash ? slash + 1 : arg) < 0)
		path = NULL;
	free(dir);
	free(copy);
	return path;
}

/* Is the regular file or block device @st, at @path, the image of @dev? */
static bool is_image_of(const struct dimg_device *dev, const struct stat *st,
			const char *path)
{
	dev_t backing = makedev(dev->backing_major, dev->backing_minor);

	if (!dev->backing_path)
		return false;
	if (!st)
		return same_path(dev->backing_path, path);
	if (S_ISBLK(st->st_mode))
		/* the path tells a disk from a file that lies on it */
		return st->st_rdev == backing &&
		       !strncmp(dev->backing_path, "/dev/", 5);
	/* btrfs shows a number of its own in stat(): then the path decides */
	return st->st_ino == dev->backing_inode &&
	       (st->st_dev == backing || same_path(dev->backing_path, path));
}

/**
 * dimg_device_is_on - whether a file is the image of a device
 * @st: of the file
 */
bool dimg_device_is_on(const struct dimg_device *dev, const char *path,
		       const struct stat *st)
{
	char *absolute = absolute_path(path);
	bool is_on = absolute && is_image_of(dev, st, absolute);

	free(absolute);
	return is_on;
}

/* Add all devices whose image is @arg. */
static int find_by_image(const struct dimg_devices *all, const char *arg,
			 const struct stat *st, struct dimg_devices *found)
{
	char *path = absolute_path(arg);
	int ret = 0;
	size_t i;

	for (i = 0; path && !ret && i < all->n; i++)
		if (is_image_of(&all->v[i], st, path))
			ret = dimg_devices_copy(found, &all->v[i]);
	free(path);
	return ret;
}

/* Add the device whose node has the number @rdev. */
static int find_by_rdev(const struct dimg_devices *all, dev_t rdev,
			struct dimg_devices *found)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (rdev == makedev(all->v[i].major, all->v[i].minor))
			return dimg_devices_copy(found, &all->v[i]);
	return 0;
}

/* Names are unique: at most one device is added. */
static int find_by_name(const struct dimg_devices *all, const char *arg,
			struct dimg_devices *found)
{
	size_t i;

	if (!dimg_parse_is_name(arg))
		return 0;
	for (i = 0; i < all->n; i++)
		if (all->v[i].name && !strcmp(all->v[i].name, arg))
			return dimg_devices_copy(found, &all->v[i]);
	return 0;
}

/* The argument looks like a node; its device must exist. */
static int resolve_node(const struct dimg_devices *all, const char *arg,
			uint32_t index, bool partition,
			struct dimg_devices *found)
{
	size_t i;

	if (partition) {
		dimg_say(arg, "is a partition\nGive the whole disk: /dev/"
			 DIMG_NODE_PREFIX "%u.", index);
		return DIMG_EXIT_NOT_FOUND;
	}
	for (i = 0; i < all->n; i++)
		if (all->v[i].index == index)
			return dimg_devices_copy(found, &all->v[i]) ?
				fail_memory() : 0;
	return fail_not_attached(arg);
}

/* Images are told to root only: say so instead of "not attached". */
static int fail_no_paths(const char *arg)
{
	dimg_say(arg, "only root may see which image belongs to which device\n"
		 "Run it as root (sudo), or give the device: /dev/" DIMG_NODE_PREFIX "N.");
	return DIMG_EXIT_PERMISSION;
}

/* Nothing was found by any rule: why? */
static int fail_unknown(const struct dimg_devices *all, const char *arg,
			const struct stat *st)
{
	size_t i;

	if (!st && strchr(arg, '/')) {
		dimg_say(arg,
			 "there is no such file or device, and no image of this path is attached\n"
			 "Check the path; \"dimgsetup list\" shows what is attached.");
		return DIMG_EXIT_NOT_FOUND;
	}
	for (i = 0; st && i < all->n; i++)
		if (!dimg_device_knows(&all->v[i], DIMGBLK_A_BACKING_INODE) &&
		    all->v[i].state == DIMGBLK_STATE_LIVE)
			return fail_no_paths(arg);
	return fail_not_attached(arg);
}

static int fail_ambiguous(const char *arg, const struct dimg_device *named,
			  const struct dimg_device *imaged)
{
	dimg_say(arg, "is the name of dimgblk%u, and the image of dimgblk%u\n"
		 "Write ./%s for the image, or give the device.",
		 named->index, imaged->index, arg);
	return DIMG_EXIT_REFUSED;
}

/* The argument is a name or a path. @found is empty at first. */
static int resolve_text(const struct dimg_devices *all, const char *arg,
			struct dimg_devices *found)
{
	struct stat buf, *st = NULL;
	size_t named, i;
	int ret;

	ret = find_by_name(all, arg, found);
	named = found->n;
	if (!stat(arg, &buf))
		st = &buf;
	if (!ret && st && S_ISBLK(st->st_mode))
		ret = find_by_rdev(all, st->st_rdev, found);
	if (!ret && found->n == named)
		ret = find_by_image(all, arg, st, found);
	if (ret)
		return fail_memory();
	if (!found->n)
		return fail_unknown(all, arg, st);
	for (i = named; named && i < found->n; i++)
		if (found->v[i].index != found->v[0].index)
			return fail_ambiguous(arg, &found->v[0], &found->v[i]);
	return 0;
}

/* Move the devices of @from that @to does not have yet; @from is empty then. */
static int merge(struct dimg_devices *to, struct dimg_devices *from)
{
	size_t i, j;
	int ret = 0;

	for (i = 0; !ret && i < from->n; i++) {
		for (j = 0; j < to->n; j++)
			if (to->v[j].index == from->v[i].index)
				break;
		if (j == to->n)
			ret = dimg_devices_add(to, &from->v[i]);
	}
	dimg_devices_free(from);
	return ret ? fail_memory() : 0;
}

/**
 * dimg_resolve - find the devices that an argument means
 * @all: every attached device
 * @found: they are appended here, each once; several if one image is attached
 *	more than once
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_resolve(const struct dimg_devices *all, const char *arg,
		 struct dimg_devices *found)
{
	struct dimg_devices mine = { 0 };
	bool partition;
	uint32_t index;
	int ret;

	switch (dimg_parse_node(arg, &index, &partition)) {
	case 0:
		ret = resolve_node(all, arg, index, partition, &mine);
		break;
	case -ERANGE:
		ret = fail_not_attached(arg);
		break;
	default:
		ret = resolve_text(all, arg, &mine);
	}
	if (!ret)
		return merge(found, &mine);
	dimg_devices_free(&mine);
	return ret;
}

/**
 * dimg_resolve_one - find the one device that an argument means
 * @dev: set on success; give it to dimg_device_free()
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_resolve_one(struct dimg_nl *nl, const char *arg,
		     struct dimg_device *dev)
{
	struct dimg_devices all, found = { 0 };
	struct dimg_error e;
	size_t i;
	int ret;

	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	ret = dimg_resolve(&all, arg, &found);
	if (!ret && found.n > 1) {
		dimg_say(arg, "is attached %zu times; give one of these devices:",
			 found.n);
		for (i = 0; i < found.n; i++)
			fprintf(stderr, "  /dev/" DIMG_NODE_PREFIX "%u\n",
				found.v[i].index);
		ret = DIMG_EXIT_REFUSED;
	} else if (!ret) {
		*dev = found.v[0];
		found.n = 0;
	}
	dimg_devices_free(&found);
	dimg_devices_free(&all);
	return ret;
}
