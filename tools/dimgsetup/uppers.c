// SPDX-License-Identifier: GPL-2.0
/*
 * uppers.c - owns the answer to "which file systems live on these devices, and
 * how do we get hold of them?": mounts in all mount namespaces that a visible
 * process has, also through device mapper and the like in between.
 *
 * holders.c tells people who is in the way; this is for commands that do
 * something to each file system: trim it, freeze it, draw it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

static int add(struct dimg_uppers *m, struct libmnt_fs *fs, dev_t dev,
	       const char *pid, bool own)
{
	struct dimg_upper *v = reallocarray(m->v, m->n + 1, sizeof(*v));
	const char *target = mnt_fs_get_target(fs);
	int len;

	if (!v)
		return -ENOMEM;
	m->v = v;
	v = &v[m->n];
	memset(v, 0, sizeof(*v));
	v->fd = -1;
	v->dev = dev;
	v->super = mnt_fs_get_devno(fs);
	v->id = mnt_fs_get_id(fs);
	v->own = own;
	len = own ? asprintf(&v->path, "%s", target) :
		asprintf(&v->path, "/proc/%s/root%s", pid, target);
	if (len < 0)
		return -ENOMEM;
	m->n++;
	v->target = strdup(target);
	v->type = strdup(mnt_fs_get_fstype(fs) ?: "");
	return v->target && v->type ? 0 : -ENOMEM;
}

/* Mounts of @set that process @pid sees. */
static int find_in_process(const struct dimg_devset *set, const char *pid,
			   struct dimg_namespaces *seen, struct dimg_uppers *m)
{
	bool own = !strcmp(pid, "self");
	struct libmnt_table *tb;
	struct libmnt_iter *it;
	struct libmnt_fs *fs;
	int ret = dimg_mountinfo_read(seen, pid, &tb);
	dev_t dev;

	if (ret || !tb)
		return ret;
	it = mnt_new_iter(MNT_ITER_FORWARD);
	if (!it)
		ret = -ENOMEM;
	while (!ret && !mnt_table_next_fs(tb, it, &fs)) {
		dev = dimg_devset_mounted(set, fs);
		if (dev)
			ret = add(m, fs, dev, pid, own);
	}
	mnt_free_iter(it);
	mnt_unref_table(tb);
	return ret;
}

/**
 * dimg_uppers_find - find all mounts of some devices
 * @set: the devices; see dimg_devset_add_holders()
 * @m: filled in, our own namespace first; give it to dimg_uppers_free(), after a
 *	failure too
 *
 * Return: 0, also if there is none; or -errno.
 */
int dimg_uppers_find(const struct dimg_devset *set, struct dimg_uppers *m)
{
	struct dimg_namespaces seen = { 0 };
	struct dirent *entry;
	DIR *d;
	int ret;

	memset(m, 0, sizeof(*m));
	ret = find_in_process(set, "self", &seen, m);
	d = opendir("/proc");
	if (!d && !ret)
		ret = -errno;
	while (!ret && (entry = dimg_readdir(d, &ret)))
		if (*entry->d_name >= '1' && *entry->d_name <= '9')
			ret = find_in_process(set, entry->d_name, &seen, m);
	if (d)
		closedir(d);
	free(seen.v);
	return ret;
}

/* Open where @m is mounted; -ESTALE if another mount hides it there. */
static int open_mount(const struct dimg_upper *m)
{
	int fd = open(m->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct statx stx;

	if (fd < 0)
		return -errno;
	if (!statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &stx) &&
	    stx.stx_mask & STATX_MNT_ID && (int)stx.stx_mnt_id == m->id)
		return fd;
	close(fd);
	return -ESTALE;
}

/**
 * dimg_uppers_open - get hold of each file system once
 * @failed: set to a mount of the file system that cannot be had, for the message
 *
 * Afterwards one mount of each file system has its fd set; those that do are
 * closed by dimg_uppers_free().
 *
 * Return: 0, or -errno.
 */
int dimg_uppers_open(struct dimg_uppers *m, const struct dimg_upper **failed)
{
	size_t i, j;
	int ret;

	for (i = 0; i < m->n; i++) {
		for (j = 0; j < m->n; j++)
			if (m->v[j].super == m->v[i].super && m->v[j].fd >= 0)
				break;
		if (j < m->n)
			continue;
		/* any mount of it will do: the next one comes when i gets there */
		m->v[i].fd = open_mount(&m->v[i]);
	}
	for (i = 0, ret = 0; !ret && i < m->n; i++) {
		for (j = 0; j < m->n; j++)
			if (m->v[j].super == m->v[i].super && m->v[j].fd >= 0)
				break;
		if (j == m->n) {
			*failed = &m->v[i];
			ret = m->v[i].fd;
		}
	}
	return ret;
}

/* dimg_uppers_free - close and give back; it is empty afterwards. */
void dimg_uppers_free(struct dimg_uppers *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->v[i].fd >= 0)
			close(m->v[i].fd);
		free(m->v[i].path);
		free(m->v[i].target);
		free(m->v[i].type);
	}
	free(m->v);
	memset(m, 0, sizeof(*m));
}
