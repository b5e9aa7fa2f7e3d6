// SPDX-License-Identifier: GPL-2.0
/*
 * usage.c - owns what can be told of the image behind a device by looking at it
 * under its path: is it there, how much of its disk does it take, how much more
 * may it take.
 *
 * The path is the kernel's and known to root only. Looking may wait for the file
 * system that the image is on; so only those who ask for it get it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

/* What the kernel appends to the path of a file that has lost its name. */
#define DELETED		" (deleted)"

static const char * const words[] = {
	[DIMG_FILE_UNKNOWN] = NULL,
	[DIMG_FILE_OK] = "ok",
	[DIMG_FILE_DELETED] = "deleted",
	[DIMG_FILE_REPLACED] = "replaced",
	[DIMG_FILE_UNREACHABLE] = "unreachable",
};

/* dimg_file_state_text - one word for a state; NULL if it is not known. */
const char *dimg_file_state_text(enum dimg_file_state state)
{
	return words[state];
}

/* Is @st what the kernel has open for @dev? */
static bool is_backing(const struct dimg_device *dev, const struct stat *st)
{
	dev_t backing = makedev(dev->backing_major, dev->backing_minor);

	if (S_ISBLK(st->st_mode))
		return st->st_rdev == backing;
	return S_ISREG(st->st_mode) && st->st_dev == backing &&
	       st->st_ino == dev->backing_inode;
}

/*
 * The path does not lead to the file. A name that the file has lost may be
 * another one's now; a name that it still has is hidden by a mount, or is in
 * another mount namespace.
 */
static enum dimg_file_state why_not_there(const char *path)
{
	size_t len = strlen(path), tail = strlen(DELETED);
	enum dimg_file_state state;
	char *plain;

	if (len <= tail || strcmp(path + len - tail, DELETED))
		return DIMG_FILE_UNREACHABLE;
	plain = strndup(path, len - tail);
	if (!plain)
		return DIMG_FILE_DELETED;
	state = access(plain, F_OK) ? DIMG_FILE_DELETED : DIMG_FILE_REPLACED;
	free(plain);
	return state;
}

/**
 * dimg_usage_open - open the image file behind a device for reading
 *
 * Return: a descriptor; -1 if its path leads elsewhere, or to a block device.
 */
int dimg_usage_open(const struct dimg_device *dev)
{
	struct stat st;
	int fd;

	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_PATH) || !dev->backing_path)
		return -1;
	fd = open(dev->backing_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && !fstat(fd, &st) && S_ISREG(st.st_mode) &&
	    is_backing(dev, &st))
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/**
 * dimg_usage_of - look at the image behind a device
 * @u: filled in; all zero but the state if the image is not there
 *
 * allocated and overcommit are those of the whole image, whichever part of it the
 * device is. Space that other images on the same file system may want is not
 * counted: it is free until they take it.
 */
void dimg_usage_of(const struct dimg_device *dev, struct dimg_usage *u)
{
	uint64_t needed, avail;
	struct stat st;
	int fd;

	memset(u, 0, sizeof(*u));
	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_PATH) || !dev->backing_path)
		return;
	/* O_PATH: one file for all questions, and none of its own rules */
	fd = open(dev->backing_path, O_PATH | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !is_backing(dev, &st)) {
		u->state = why_not_there(dev->backing_path);
		goto out_close;
	}
	u->state = DIMG_FILE_OK;
	if (!S_ISREG(st.st_mode))
		goto out_close;
	u->is_file = true;
	u->size = st.st_size;
	u->allocated = (uint64_t)st.st_blocks * DIMG_SECTOR_SIZE;
	if (!(dev->flags & DIMGBLK_FLAG_READ_ONLY) &&
	    dimg_image_overcommits(fd, &needed, &avail))
		u->overcommit = needed - avail;
out_close:
	if (fd >= 0)
		close(fd);
}

/* A size for people or for programs; 0 or -ENOMEM. */
static int format_size(uint64_t n, bool bytes, char **s)
{
	char human[16];

	dimg_human_size(n, human, sizeof(human));
	if (bytes)
		return asprintf(s, "%llu", (unsigned long long)n) < 0 ? -ENOMEM : 0;
	*s = strdup(human);
	return *s ? 0 : -ENOMEM;
}

/* dimg_cell_virt - the column VIRT: size of the image file. */
int dimg_cell_virt(const struct dimg_device *dev, bool bytes, char **s)
{
	struct dimg_usage u;

	dimg_usage_of(dev, &u);
	return u.is_file ? format_size(u.size, bytes, s) : 0;
}

/* dimg_cell_alloc - the column ALLOC: what the image takes on its disk. */
int dimg_cell_alloc(const struct dimg_device *dev, bool bytes, char **s)
{
	struct dimg_usage u;

	dimg_usage_of(dev, &u);
	return u.is_file ? format_size(u.allocated, bytes, s) : 0;
}

/* dimg_cell_use - the column USE%: ALLOC of VIRT; may exceed 100. */
int dimg_cell_use(const struct dimg_device *dev, bool bytes, char **s)
{
	struct dimg_usage u;
	uint64_t percent;

	dimg_usage_of(dev, &u);
	if (!u.is_file || !u.size)
		return 0;
	/* 0 only where nothing is allocated */
	percent = u.allocated / (double)u.size * 100;
	if (!percent && u.allocated)
		percent = 1;
	return asprintf(s, bytes ? "%llu" : "%llu%%",
			(unsigned long long)percent) < 0 ? -ENOMEM : 0;
}

/* dimg_cell_overcommit - the column OVERCOMMIT: what its disk lacks for it. */
int dimg_cell_overcommit(const struct dimg_device *dev, bool bytes, char **s)
{
	struct dimg_usage u;

	dimg_usage_of(dev, &u);
	return u.is_file ? format_size(u.overcommit, bytes, s) : 0;
}

/* dimg_cell_file - the column FILE: is the image still under its path? */
int dimg_cell_file(const struct dimg_device *dev, bool bytes, char **s)
{
	struct dimg_usage u;

	(void)bytes;
	dimg_usage_of(dev, &u);
	if (!dimg_file_state_text(u.state))
		return 0;
	*s = strdup(dimg_file_state_text(u.state));
	return *s ? 0 : -ENOMEM;
}
