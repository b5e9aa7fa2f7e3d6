// SPDX-License-Identifier: GPL-2.0
/*
 * mounted.c - owns the look at what is mounted where, in our mount namespace.
 *
 * For mount and umount, which act on what they find. Who holds a device in any
 * namespace is holders.c's question.
 */
#include <errno.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

/* Types beside libmount's own list; virtiofs and 9p lead to a host, FUSE to a program. */
static const char * const remote_types[] = {
	"9p", "afs", "ceph", "coda", "fuse", "fuseblk", "gfs2", "glusterfs", "lustre",
	"ocfs2", "orangefs", "smb3", "vboxsf", "virtiofs",
};

/* May a look at a file there wait for ever? */
static bool is_remote(struct libmnt_fs *fs, const char *type)
{
	size_t i;

	if (mnt_fs_is_netfs(fs) || !strncmp(type, "fuse.", 5))
		return true;
	for (i = 0; i < sizeof(remote_types) / sizeof(*remote_types); i++)
		if (!strcmp(type, remote_types[i]))
			return true;
	return false;
}

static int copy(struct libmnt_fs *fs, struct dimg_mounted *to)
{
	const char *source = mnt_fs_get_srcpath(fs);
	const char *type = mnt_fs_get_fstype(fs);

	*to = (struct dimg_mounted){
		.id = mnt_fs_get_id(fs), .parent = mnt_fs_get_parent_id(fs),
		.dev = mnt_fs_get_devno(fs),
		.remote = is_remote(fs, type ? type : ""),
		.source = strdup(source ? source : "none"),
		.target = strdup(mnt_fs_get_target(fs)),
		.type = strdup(type ? type : ""),
	};
	if (to->source && to->target && to->type)
		return 0;
	dimg_mounted_free(to);
	return -ENOMEM;
}

/* dimg_mounted_free - give back one mount. */
void dimg_mounted_free(struct dimg_mounted *m)
{
	free(m->source);
	free(m->target);
	free(m->type);
	memset(m, 0, sizeof(*m));
}

/**
 * dimg_mounts_load - all mounts of our namespace
 * @mounts: filled in, newest last; give it to dimg_mounts_free()
 *
 * Return: 0 or -errno.
 */
int dimg_mounts_load(struct dimg_mounts *mounts)
{
	struct libmnt_table *tb = mnt_new_table();
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int ret = -ENOMEM;

	memset(mounts, 0, sizeof(*mounts));
	if (tb && it)
		ret = mnt_table_parse_file(tb, "/proc/self/mountinfo");
	if (!ret) {
		mounts->v = calloc(mnt_table_get_nents(tb) + 1,
				   sizeof(*mounts->v));
		ret = mounts->v ? 0 : -ENOMEM;
	}
	while (!ret && !mnt_table_next_fs(tb, it, &fs)) {
		ret = copy(fs, &mounts->v[mounts->n]);
		if (!ret && mounts->n < (size_t)mnt_table_get_nents(tb))
			mounts->n++;
	}
	mnt_free_iter(it);
	mnt_unref_table(tb);
	if (ret)
		dimg_mounts_free(mounts);
	return ret;
}

void dimg_mounts_free(struct dimg_mounts *mounts)
{
	size_t i;

	for (i = 0; i < mounts->n; i++)
		dimg_mounted_free(&mounts->v[i]);
	free(mounts->v);
	memset(mounts, 0, sizeof(*mounts));
}

/**
 * dimg_mounted_on - what is to be seen on a directory
 * @dir: any path to it
 *
 * Return: the mount on top; NULL if it is no mount point.
 */
const struct dimg_mounted *dimg_mounted_on(const struct dimg_mounts *mounts,
					   const char *dir)
{
	const struct dimg_mounted *top = NULL;
	char *path = realpath(dir, NULL);
	size_t i;

	/* of those on one directory the last one is on top */
	for (i = 0; path && i < mounts->n; i++)
		if (!strcmp(mounts->v[i].target, path))
			top = &mounts->v[i];
	free(path);
	return top;
}

/* Does a way to @path, all of its links resolved, go through @dir? */
static bool is_on_way(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	/* the root ends with a slash, no other directory does */
	if (len && dir[len - 1] == '/')
		len--;
	return !strncmp(dir, path, len) && (path[len] == '/' || !path[len]);
}

/* The first mount that the way to @path enters from @from; NULL if it stays there. */
static const struct dimg_mounted *next_on_way(const struct dimg_mounts *mounts,
					      const struct dimg_mounted *from,
					      const char *path)
{
	const struct dimg_mounted *next = NULL, *m;
	size_t i;

	for (i = 0; i < mounts->n; i++) {
		m = &mounts->v[i];
		if (m != from && m->parent == from->id && is_on_way(m->target, path) &&
		    (!next || strlen(m->target) < strlen(next->target)))
			next = m;
	}
	return next;
}

/**
 * dimg_mounted_below - the mount that a file lies on, without a look at the file
 * @path: of the file, from the root, all of its links resolved
 *
 * Return: the mount; NULL if that cannot be told.
 */
const struct dimg_mounted *dimg_mounted_below(const struct dimg_mounts *mounts,
					      const char *path)
{
	const struct dimg_mounted *m = NULL, *next;
	size_t i, j, steps;

	for (i = 0; !m && i < mounts->n; i++) {
		if (strcmp(mounts->v[i].target, "/"))
			continue;
		/* the lowest one on the root: nothing that we see holds it */
		for (j = 0; j < mounts->n; j++)
			if (j != i && mounts->v[j].id == mounts->v[i].parent)
				break;
		if (j == mounts->n)
			m = &mounts->v[i];
	}
	/* no way has more steps than there are mounts, whatever the list says */
	for (steps = 0; m && steps < mounts->n; steps++) {
		next = next_on_way(mounts, m, path);
		if (!next)
			return m;
		m = next;
	}
	return m;
}

/**
 * dimg_mounted_find_dir - what is to be seen on a directory, alone
 * @found: set on success; give it to dimg_mounted_free()
 *
 * Return: 0, -ENOENT if it is no mount point, or -errno.
 */
int dimg_mounted_find_dir(const char *dir, struct dimg_mounted *found)
{
	const struct dimg_mounted *top;
	struct dimg_mounts mounts;
	int ret = dimg_mounts_load(&mounts);

	if (ret)
		return ret;
	top = dimg_mounted_on(&mounts, dir);
	ret = -ENOENT;
	if (top) {
		size_t i = top - mounts.v;

		*found = mounts.v[i];
		memset(&mounts.v[i], 0, sizeof(*mounts.v));
		ret = 0;
	}
	dimg_mounts_free(&mounts);
	return ret;
}

/* dimg_mounted_is_of - whether a mount shows a disk or a partition of it. */
bool dimg_mounted_is_of(const struct dimg_mounted *m,
			const struct dimg_devset *set)
{
	/* btrfs has a number of its own: compare the source, too */
	return dimg_devset_has(set, m->dev) ||
	       dimg_devset_has_node(set, m->source);
}
