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

static int copy(struct libmnt_fs *fs, struct dimg_mounted *to)
{
	const char *source = mnt_fs_get_srcpath(fs);
	const char *type = mnt_fs_get_fstype(fs);

	*to = (struct dimg_mounted){
		.id = mnt_fs_get_id(fs), .parent = mnt_fs_get_parent_id(fs),
		.dev = mnt_fs_get_devno(fs),
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
