// SPDX-License-Identifier: GPL-2.0
/*
 * look.c - owns how /proc and /sys are looked at: a look that failed is not one that found
 * nothing. What has vanished meanwhile, or is none of our business, is nothing; a lack of
 * memory or of descriptors is an error.
 */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dimgsetup.h"

/**
 * dimg_is_out_of_sight - does an errno of /proc mean that there is nothing to see?
 *
 * The process has ended meanwhile (which a zombie tells by EINVAL), or is none that we may
 * look at. All else is a look that failed: who cannot look does not know.
 */
bool dimg_is_out_of_sight(int err)
{
	return err == ENOENT || err == ESRCH || err == EINVAL || err == EACCES ||
	       err == EPERM;
}

/* dimg_is_out_of_means - does an errno mean that we could not look, whatever is there? */
bool dimg_is_out_of_means(int err)
{
	return err == EMFILE || err == ENFILE || err == ENOMEM;
}

/**
 * dimg_readdir - the next entry of a directory of /proc or /sys
 * @ret: set to -errno if it cannot be read
 */
struct dirent *dimg_readdir(DIR *d, int *ret)
{
	struct dirent *entry;

	errno = 0;
	entry = readdir(d);
	if (!entry && errno && !dimg_is_out_of_sight(errno))
		*ret = -errno;
	return entry;
}

/* Of glob(), which gives its callback nothing else to tell by. */
static int glob_errno;

static int glob_failed(const char *path, int err)
{
	(void)path;
	if (dimg_is_out_of_sight(err) || err == ENOTDIR)
		return 0;
	glob_errno = err;
	return 1;
}

/**
 * dimg_glob - glob(), but a folder that cannot be read is no empty one
 * @g: give it to globfree() if 0 is returned
 *
 * Return: 0, also if nothing matches, or -errno.
 */
int dimg_glob(const char *pattern, glob_t *g)
{
	memset(g, 0, sizeof(*g));
	switch (glob(pattern, 0, glob_failed, g)) {
	case 0:
		return 0;
	case GLOB_NOMATCH:
		memset(g, 0, sizeof(*g));
		return 0;
	case GLOB_NOSPACE:
		return -ENOMEM;
	default:
		return -glob_errno;
	}
}

/**
 * dimg_mountinfo_read - the mounts that a process sees, unless others have shown them
 * @seen: mount namespaces that were looked at; this one comes to them
 * @pid: the process; "self" is one that must be seen
 * @tb: set to its mounts, or to NULL if there is nothing to see there, or nothing new;
 *	give it to mnt_unref_table()
 *
 * Return: 0, or -errno.
 */
int dimg_mountinfo_read(struct dimg_namespaces *seen, const char *pid,
			struct libmnt_table **tb)
{
	bool must = !strcmp(pid, "self");
	char path[DIMG_PROC_PATH_LEN];
	struct stat st;
	ino_t *v;
	size_t i;
	FILE *f;
	int ret;

	*tb = NULL;
	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	if (stat(path, &st))
		return must || !dimg_is_out_of_sight(errno) ? -errno : 0;
	for (i = 0; i < seen->n; i++)
		if (seen->v[i] == st.st_ino)
			return 0;
	snprintf(path, sizeof(path), "/proc/%s/mountinfo", pid);
	f = fopen(path, "re");
	if (!f)
		return must || !dimg_is_out_of_sight(errno) ? -errno : 0;
	*tb = mnt_new_table();
	ret = *tb ? mnt_table_parse_stream(*tb, f, path) : -ENOMEM;
	fclose(f);
	/* not before it was looked at: this one may be gone, and others in it not */
	v = ret ? NULL : reallocarray(seen->v, seen->n + 1, sizeof(*v));
	if (v) {
		seen->v = v;
		v[seen->n++] = st.st_ino;
		return 0;
	}
	mnt_unref_table(*tb);
	*tb = NULL;
	return !ret ? -ENOMEM : ret < 0 ? ret : -EIO;
}
