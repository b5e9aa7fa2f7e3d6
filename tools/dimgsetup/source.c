// SPDX-License-Identifier: GPL-2.0
/*
 * source.c - owns the image as something to copy from: the file to read, and all
 * file systems whose users write to it, on all devices that it is attached to.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimgsetup.h"

/* Other devices on the same file count, too: their users write to the image. */
static int find_devices(struct dimg_source *s, const struct dimg_devices *all,
			const struct dimg_device *dev)
{
	struct dimg_devset one;
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < all->n; i++) {
		const struct dimg_device *other = &all->v[i];

		if (other->index != dev->index &&
		    (other->backing_inode != dev->backing_inode ||
		     other->backing_major != dev->backing_major ||
		     other->backing_minor != dev->backing_minor))
			continue;
		ret = dimg_devset_load(other->major, other->minor, &one);
		if (!ret)
			ret = dimg_devset_merge(&s->set, &one);
		dimg_devset_free(&one);
	}
	return ret ? ret : dimg_devset_add_holders(&s->set);
}

/* The file behind a device, or the device itself if that is the whole file. */
static int open_file(struct dimg_source *s, const struct dimg_device *dev,
		     const char *node)
{
	struct dimg_usage u;
	struct stat st;
	int ret;

	dimg_usage_of(dev, &u);
	if (u.state == DIMG_FILE_OK) {
		ret = dimg_image_open(dev->backing_path, true, true, &s->img);
		if (ret || (!fstat(s->img.fd, &st) &&
			    dimg_device_is_on(dev, dev->backing_path, &st)))
			return ret;
		dimg_say(dev->backing_path, "another file has got this name meanwhile\n"
			 "Run the command again.");
		return DIMG_EXIT_REFUSED;
	}
	if (u.state == DIMG_FILE_UNKNOWN) {
		dimg_say(node, "only root may copy its image\nRun it as root (sudo).");
		return DIMG_EXIT_PERMISSION;
	}
	if (dev->offset || dev->size_limit) {
		dimg_say(node, "its image is %s, and the device is a part of it only\n"
			 "Copy that part: \"dd if=%s of=COPY bs=1M conv=sparse\".",
			 dimg_file_state_text(u.state), node);
		return DIMG_EXIT_REFUSED;
	}
	dimg_say(node, "its image is %s; the copy is made of the device",
		 dimg_file_state_text(u.state));
	ret = dimg_image_open(node, true, true, &s->img);
	if (!ret)
		s->mode = 0600;
	return ret;
}

/*
 * Each disk, partition and volume has a cache of its own for what programs wrote
 * to it, so each has to be told to write out.
 */
static int open_nodes(struct dimg_source *s)
{
	char node[DIMG_NODE_LEN + 8];
	size_t i;

	s->nodes = calloc(s->set.n, sizeof(*s->nodes));
	if (!s->nodes)
		return dimg_fail_errno(NULL, -ENOMEM, "");
	for (i = 0; i < s->set.n; i++)
		s->nodes[i] = -1;
	for (i = 0; i < s->set.n; i++) {
		snprintf(node, sizeof(node), "/dev/%s", s->set.v[i].node);
		s->nodes[i] = open(node, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		/* gone meanwhile, or a volume with nothing in it: no cache */
		if (s->nodes[i] < 0 && (!i || (errno != ENXIO && errno != ENOENT)))
			return dimg_fail_errno(node, -errno, "cannot be opened");
	}
	return 0;
}

/* What is mounted and cannot be frozen would not stand still. */
static int check_hidden(const struct dimg_source *s, const char *node)
{
	struct dimg_holders h;
	struct dimg_error e;
	int ret = dimg_holders_find_hidden(&s->set, &s->mounts, &h);

	if (ret) {
		ret = dimg_fail_errno(node, ret, "cannot find out who uses it");
	} else if (h.n) {
		dimg_error_set(&e, EBUSY, "a file system on it cannot be found, so it cannot be made to stand still");
		ret = dimg_fail_busy(node, &e, &h);
	}
	dimg_holders_free(&h);
	return ret;
}

/* An attached image: who writes to it, and how do we read it? */
static int open_attached(struct dimg_source *s,
			 const struct dimg_subject *subject)
{
	const struct dimg_device *dev = &subject->devs.v[0];
	const struct dimg_upper *failed;
	char node[DIMG_NODE_LEN];
	int ret;

	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	ret = open_file(s, dev, node);
	/* what is mounted from a stock loop device would not stand still */
	if (!ret)
		ret = dimg_lock_check_loop(&s->img);
	if (ret)
		return ret;
	ret = find_devices(s, &subject->all, dev);
	if (!ret)
		ret = dimg_uppers_find(&s->set, &s->mounts);
	if (ret)
		return dimg_fail_errno(node, ret, "cannot find out who uses it");
	if (dimg_uppers_open(&s->mounts, &failed))
		return dimg_fail_errno(failed->target, failed->fd,
				       "cannot be reached to freeze it");
	ret = check_hidden(s, node);
	return ret ? ret : open_nodes(s);
}

/* One that is not: keep writers away as long as the copy takes. */
static int open_detached(struct dimg_source *s,
			 const struct dimg_subject *subject)
{
	int ret;

	ret = dimg_image_open(subject->path, true, true, &s->img);
	if (!ret)
		ret = dimg_lock_check_loop(&s->img);
	if (!ret)
		ret = dimg_lock_still(&s->img);
	return !ret && dimg_has_writer(subject->path) ?
		dimg_fail_writer(subject->path) : ret;
}

/**
 * dimg_source_open - open an image to copy it
 * @s: filled in; give it to dimg_source_close(), after a failure too
 *
 * An image that is not attached is locked, so that nobody begins to write to it.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_source_open(const struct dimg_subject *subject, struct dimg_source *s)
{
	struct stat st;
	int ret;

	memset(s, 0, sizeof(*s));
	s->img.fd = -1;
	ret = subject->devs.n ? open_attached(s, subject) :
		open_detached(s, subject);
	if (ret)
		return ret;
	if (fstat(s->img.fd, &st))
		return dimg_fail_errno(s->img.path, -errno, "");
	s->gid = st.st_gid;
	if (!s->mode)
		s->mode = st.st_mode & 0666;
	return 0;
}

/**
 * dimg_source_flush - get what was written to the devices themselves to the image
 *
 * From the top down: a volume writes to its partition.
 *
 * Return: 0 or -errno.
 */
int dimg_source_flush(const struct dimg_source *s)
{
	size_t i;

	for (i = s->nodes ? s->set.n : 0; i--;)
		if (s->nodes[i] >= 0 && fsync(s->nodes[i]))
			return -errno;
	return 0;
}

/**
 * dimg_source_holds - whether a descriptor of ours is a file inside the image
 *
 * Who writes to it while the image stands still waits for ever.
 */
bool dimg_source_holds(const struct dimg_source *s, int fd)
{
	struct stat st, inside;
	size_t i;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return false;
	for (i = 0; i < s->mounts.n; i++)
		if (s->mounts.v[i].fd >= 0 && !fstat(s->mounts.v[i].fd, &inside) &&
		    inside.st_dev == st.st_dev)
			return true;
	return false;
}

static bool has_super(const struct dimg_uppers *m, dev_t super)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].super == super)
			return true;
	return false;
}

/* Of these devices, are all mounts that there are now known already? 0, -EBUSY or -errno. */
static int check_set(const struct dimg_source *s, const struct dimg_devset *set)
{
	struct dimg_holders hidden = { 0 };
	struct dimg_uppers now;
	size_t i;
	int ret;

	ret = dimg_uppers_find(set, &now);
	for (i = 0; !ret && i < now.n; i++)
		if (!has_super(&s->mounts, now.v[i].super))
			ret = -EBUSY;
	/* mounted and out of sight again */
	if (!ret)
		ret = dimg_holders_find_hidden(set, &s->mounts, &hidden);
	if (!ret && hidden.n)
		ret = -EBUSY;
	dimg_holders_free(&hidden);
	dimg_uppers_free(&now);
	return ret;
}

/**
 * dimg_source_recheck - see that nobody came who was not made to stand still
 * @subject: as it was given to dimg_source_open()
 *
 * Looks for file systems that were mounted meanwhile, also from partitions, volumes and
 * devices that were not there at first.
 *
 * Return: 0; -EBUSY if there is one, or if the device has gone; or -errno if that cannot be
 * found out.
 */
int dimg_source_recheck(const struct dimg_source *s, const struct dimg_subject *subject)
{
	const struct dimg_device *dev = subject->devs.v;
	struct dimg_source now = { .nodes = NULL };
	struct dimg_devices all;
	struct dimg_error e;
	int ret = -EBUSY;
	size_t i;

	/* one that is not attached is locked */
	if (!subject->devs.n)
		return 0;
	if (dimg_nl_dump(subject->nl, &all, &e))
		return -e.err;
	for (i = 0; i < all.n; i++)
		if (all.v[i].index == dev->index && all.v[i].diskseq == dev->diskseq)
			ret = 0;
	if (!ret)
		ret = find_devices(&now, &all, dev);
	/* one of them went between the list and the look */
	if (ret == -ENOENT)
		ret = -EBUSY;
	if (!ret)
		ret = check_set(s, &now.set);
	dimg_devset_free(&now.set);
	dimg_devices_free(&all);
	return ret;
}

/* dimg_source_close - the locks go, too. */
void dimg_source_close(struct dimg_source *s)
{
	size_t i;

	for (i = 0; s->nodes && i < s->set.n; i++)
		if (s->nodes[i] >= 0)
			close(s->nodes[i]);
	free(s->nodes);
	s->nodes = NULL;
	dimg_uppers_free(&s->mounts);
	dimg_devset_free(&s->set);
	dimg_image_close(&s->img);
}
