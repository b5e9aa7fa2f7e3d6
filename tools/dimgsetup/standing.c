// SPDX-License-Identifier: GPL-2.0
/*
 * standing.c - owns the question whether an image that is to be mounted has a
 * device already, and which node of it shows the bytes that are wanted.
 *
 * Such a device is mounted as it is: a second one on the same bytes would be
 * refused, and rightly so. Nothing about it is changed, so an option that asks
 * for something else is refused, too.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimgsetup.h"

/**
 * dimg_standing_lock - one mount of an image after the other
 *
 * Two at the same time would both find no device. Only a courtesy: the kernel
 * refuses the second device; so whatever fails here is no failure, and who holds
 * the lock for long is not waited for.
 *
 * Return: a descriptor that has the lock until it is closed, or -1.
 */
int dimg_standing_lock(const char *path)
{
	struct stat st;
	int fd;

	if (stat(path, &st) || !S_ISREG(st.st_mode))
		return -1;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		dimg_flock(fd);
	return fd;
}

/* A number in a file of sysfs, in sectors; as bytes. 0 if it cannot be read. */
static uint64_t read_sectors(const char *node, const char *attribute)
{
	unsigned long long n = 0;
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/class/block/%s/%s", node, attribute);
	f = fopen(path, "re");
	if (f) {
		if (fscanf(f, "%llu", &n) != 1)
			n = 0;
		fclose(f);
	}
	return n * DIMG_SECTOR_SIZE;
}

static void use_member(struct dimg_mount_source *src,
		       const struct dimg_device *dev, const char *node)
{
	snprintf(src->node, sizeof(src->node), "/dev/%.*s",
		 DIMG_NODE_LEN - 6, node);
	src->major = dev->major;
	src->minor = dev->minor;
	src->block_size = dev->logical_block_size;
	src->diskseq = dev->diskseq;
}

/* A node that the user named: which disk or partition of ours is it? */
static bool find_node(const struct dimg_devices *all, dev_t rdev,
		      struct dimg_mount_source *src,
		      const struct dimg_device **dev)
{
	struct dimg_devset set;
	bool found = false;
	size_t i, j;

	for (i = 0; !found && i < all->n; i++) {
		if (!dimg_devset_load(all->v[i].major, all->v[i].minor, &set))
			for (j = 0; !found && j < set.n; j++)
				if (set.v[j].dev == rdev) {
					use_member(src, &all->v[i], set.v[j].node);
					*dev = &all->v[i];
					found = true;
				}
		dimg_devset_free(&set);
	}
	return found;
}

/**
 * struct window - the bytes of the image that are wanted
 * @exact: @size is what a node must have; else it is a size limit
 */
struct window {
	uint64_t offset;
	uint64_t size;
	bool exact;
};

/* Does a node of this device show exactly the window? */
static bool find_in_device(const struct dimg_device *dev,
			   const struct window *w, struct dimg_mount_source *src)
{
	uint64_t size = w->exact ? dev->capacity * DIMG_SECTOR_SIZE :
		dev->size_limit;
	struct dimg_devset set;
	bool found = false;
	size_t i;

	if (dimg_devset_load(dev->major, dev->minor, &set)) {
		dimg_devset_free(&set);
		return false;
	}
	if (dev->offset == w->offset && size == w->size) {
		use_member(src, dev, set.v[0].node);
		found = true;
	}
	/* member 0 is the disk itself */
	for (i = 1; !found && w->exact && i < set.n; i++)
		if (dev->offset + read_sectors(set.v[i].node, "start") == w->offset &&
		    read_sectors(set.v[i].node, "size") == w->size) {
			use_member(src, dev, set.v[i].node);
			found = true;
		}
	dimg_devset_free(&set);
	return found;
}

/*
 * The window that the options choose. The table is read from the image, or where
 * the user gave a name, from its device.
 */
static int find_window(const struct dimg_mount *m, const char *path,
		       struct window *w)
{
	const struct dimg_attach *a = &m->attach;
	struct dimg_image img;
	uint32_t bytes;
	int ret;

	*w = (struct window){ a->req.offset, a->req.size_limit, a->part };
	if (!a->part)
		return 0;
	ret = dimg_image_open(path, true, true, &img);
	if (ret)
		return ret;
	if (dimg_probe_sector_size(img.fd, 0, &bytes))
		bytes = 0;
	bytes = dimg_attach_table_sector_size(a, &img, bytes);
	img.path = m->source;
	ret = dimg_partition_find(&img, bytes, a->part, &w->offset, &w->size);
	dimg_image_close(&img);
	return ret;
}

/* Is the device as the options want it? 0 or an exit code. */
static int check_fits(struct dimg_mount *m, const struct dimg_device *dev,
		      struct dimg_mount_source *src)
{
	/* what ties it to somebody may be as it is; the bytes are the right ones */
	const uint32_t any = DIMGBLK_FLAG_READ_ONLY | DIMGBLK_FLAG_AUTO_DETACH |
			     DIMGBLK_FLAG_SOCKET_OWNER;
	struct dimg_request req = m->attach.req;
	char differs[256];

	src->read_only = m->opts.read_only;
	req.offset = dev->offset;
	req.size_limit = dev->size_limit;
	req.flags = (req.flags & ~any) | (dev->flags & any);
	dimg_reuse_differs(&req, dev, differs, sizeof(differs));
	if (*differs) {
		dimg_say(m->source, "is attached already, as /dev/" DIMG_NODE_PREFIX "%u, which differs from what was asked for in: %s\n"
			 "Leave the options out to mount that device, or detach it first.",
			 dev->index, differs);
		return DIMG_EXIT_REFUSED;
	}
	if (dev->flags & DIMGBLK_FLAG_READ_ONLY && !m->opts.read_only) {
		dimg_say(m->source, "is attached already, as /dev/" DIMG_NODE_PREFIX "%u, and read-only\n"
			 "Mount it read-only, too (-r), or detach it first.",
			 dev->index);
		return DIMG_EXIT_REFUSED;
	}
	return 0;
}

/*
 * Is it to be seen on the directory already? The kernel would put it on top once
 * more.
 */
static int check_dir(struct dimg_mount *m, const struct dimg_mount_source *src)
{
	struct dimg_mounted there;

	if (m->ns || m->opts.mkdir || dimg_mounted_find_dir(m->dir, &there))
		return 0;
	m->already = !strcmp(there.source, src->node);
	dimg_mounted_free(&there);
	if (!m->already)
		return 0;
	dimg_say(m->source, "is mounted on %s already (%s)", m->dir, src->node);
	return DIMG_EXIT_BUSY;
}

/*
 * From the open on the device cannot go away. One that is gone by now, or whose
 * number another has, counts as none: it was detaching itself.
 */
static int hold(struct dimg_mount *m, struct dimg_mount_source *src)
{
	struct dimg_error e;
	int ret = dimg_device_open(src->node, O_RDONLY, src->diskseq);

	src->fd = ret < 0 ? -1 : ret;
	if (src->fd >= 0)
		return 0;
	if (ret != -ENOENT && ret != -ENXIO && ret != -ENODEV && ret != -ESTALE) {
		dimg_error_set(&e, -ret, "the node cannot be opened");
		return dimg_fail(src->node, &e);
	}
	dimg_standing_close(src);
	dimg_note(m->source, "its device has just gone");
	return -1;
}

/* One device per name; NULL if none has this one. */
static const struct dimg_device *find_name(const struct dimg_devices *all,
					   const char *name)
{
	size_t i;

	for (i = 0; dimg_parse_is_name(name) && i < all->n; i++)
		if (all->v[i].name && !strcmp(all->v[i].name, name))
			return &all->v[i];
	return NULL;
}

/* A device of the image that shows the window; -1 if none, else the exit code. */
static int find_image(const struct dimg_devices *all, struct dimg_mount *m,
		      struct dimg_mount_source *src,
		      const struct dimg_device **dev)
{
	bool have_window = false;
	struct window w;
	struct stat st;
	size_t i;
	int ret;

	if (stat(m->source, &st))
		return -1;
	for (i = 0; i < all->n; i++) {
		if (all->v[i].state != DIMGBLK_STATE_LIVE ||
		    !dimg_device_is_on(&all->v[i], m->source, &st))
			continue;
		ret = have_window ? 0 : find_window(m, m->source, &w);
		if (ret)
			return ret;
		have_window = true;
		if (find_in_device(&all->v[i], &w, src)) {
			*dev = &all->v[i];
			return 0;
		}
	}
	return -1;
}

/* Bytes of an image are chosen, but a device is named: which ones of it? */
static int check_no_window(const struct dimg_mount *m,
			   const struct dimg_device *dev)
{
	const struct dimg_attach *a = &m->attach;

	if (!dimg_attach_is_given(a, DIMGBLK_A_OFFSET) &&
	    !dimg_attach_is_given(a, DIMGBLK_A_SIZE_LIMIT))
		return 0;
	return dimg_usage_error("--offset and --sizelimit choose bytes of an image, but \"%s\" is the device dimgblk%u; give the path of the image, or leave them out",
				m->source, dev->index);
}

/* A device by its name or node, or one partition of it. */
static int find_named(struct dimg_mount *m, const struct dimg_device *dev,
		      struct dimg_mount_source *src)
{
	char node[DIMG_NODE_LEN];
	struct window w;
	int ret = check_no_window(m, dev);

	if (ret)
		return ret;
	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	if (!m->attach.part) {
		use_member(src, dev, node + strlen("/dev/"));
		return 0;
	}
	ret = find_window(m, node, &w);
	if (ret)
		return ret;
	w.offset += dev->offset;
	if (find_in_device(dev, &w, src))
		return 0;
	dimg_say(m->source, "the kernel has no node for this partition: /dev/" DIMG_NODE_PREFIX "%u was attached without -P\n"
		 "\"partprobe /dev/" DIMG_NODE_PREFIX "%u\" makes the nodes.",
		 dev->index, dev->index);
	return DIMG_EXIT_NOT_FOUND;
}

static int find(const struct dimg_devices *all, struct dimg_mount *m,
		struct dimg_mount_source *src, const struct dimg_device **dev)
{
	char node[DIMG_NODE_LEN];
	const char *path = m->source;
	bool partition;
	uint32_t index;
	struct stat st;

	/* "dimgblk0" is a node without its directory, as for all commands */
	if (!dimg_parse_node(path, &index, &partition) && *path != '/') {
		snprintf(node, sizeof(node), "/dev/%.*s", DIMG_NODE_LEN - 6, path);
		path = node;
	}
	if (!stat(path, &st) && S_ISBLK(st.st_mode) &&
	    find_node(all, st.st_rdev, src, dev))
		return m->attach.part ? find_named(m, *dev, src) :
			check_no_window(m, *dev);
	*dev = find_name(all, m->source);
	if (*dev && stat(m->source, &st))
		return find_named(m, *dev, src);
	if (*dev) {
		dimg_say(m->source, "is the name of dimgblk%u, and a file here\n"
			 "Write ./%s for the file, or give the device.",
			 (*dev)->index, m->source);
		return DIMG_EXIT_REFUSED;
	}
	return find_image(all, m, src, dev);
}

/**
 * dimg_standing_find - is there a device to mount already?
 * @src: its node is set and held open; give it to dimg_standing_close()
 *
 * Return: 0; -1 if there is none; else an exit code after the reason has been
 * printed.
 */
int dimg_standing_find(struct dimg_nl *nl, struct dimg_mount *m,
		       struct dimg_mount_source *src)
{
	const struct dimg_device *dev = NULL;
	struct dimg_devices all;
	struct dimg_error e;
	int ret;

	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	ret = find(&all, m, src, &dev);
	if (!ret)
		ret = check_fits(m, dev, src);
	if (!ret)
		ret = hold(m, src);
	if (!ret)
		ret = check_dir(m, src);
	dimg_devices_free(&all);
	return ret;
}

/* dimg_standing_close - after the mount, or when there is none. */
void dimg_standing_close(struct dimg_mount_source *src)
{
	if (src->fd >= 0)
		close(src->fd);
	src->fd = -1;
}
