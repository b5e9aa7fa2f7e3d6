// SPDX-License-Identifier: GPL-2.0
/*
 * fsusers.c - owns the answer to "who uses this mount?": processes with open
 * files, working directory, root or program in it, and mounts inside it.
 *
 * holders.c answers the same about a disk; a mounted file system keeps the disk
 * busy, these keep the file system busy. The kernel tells the mount of each
 * descriptor, so other mounts of the same file system are not blamed.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimgsetup.h"

/* Room for /proc/PID/fd/N. */
#define PROC_PATH_LEN	(2 * NAME_MAX + 32)

/* Does this link in /proc lead into the mount? DONT_SYNC: ask no server. */
static bool leads_into(const char *path, int mount_id)
{
	struct statx stx;

	return !statx(AT_FDCWD, path, AT_STATX_DONT_SYNC, STATX_MNT_ID, &stx) &&
	       stx.stx_mask & STATX_MNT_ID &&
	       stx.stx_mnt_id == (uint64_t)mount_id;
}

/* One link of a process; @how completes the sentence. */
static int look_at(const char *pid, const char *name, const char *how,
		   int mount_id, struct dimg_holders *h)
{
	char path[PROC_PATH_LEN], file[PATH_MAX], comm[32];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/%s", pid, name);
	if (!leads_into(path, mount_id))
		return 0;
	n = readlink(path, file, sizeof(file) - 1);
	file[n < 0 ? 0 : n] = '\0';
	dimg_holders_comm(pid, comm, sizeof(comm));
	return dimg_holders_add(h, "process %s (%s) has %s %s", pid, comm, how,
				file);
}

static int look_at_process(const char *pid, int mount_id, struct dimg_holders *h)
{
	char path[PROC_PATH_LEN], name[NAME_MAX + 8];
	struct dirent *entry;
	int ret;
	DIR *d;

	ret = look_at(pid, "cwd", "the working directory", mount_id, h) ?:
	      look_at(pid, "root", "the root directory", mount_id, h) ?:
	      look_at(pid, "exe", "the program", mount_id, h);
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	while (d && !ret && (entry = readdir(d))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(name, sizeof(name), "fd/%s", entry->d_name);
		ret = look_at(pid, name, "open:", mount_id, h);
	}
	if (d)
		closedir(d);
	return ret;
}

/* Mounts that hang on this one. */
static int find_inside(const struct dimg_mounts *mounts, int mount_id,
		       struct dimg_holders *h)
{
	int ret = 0;
	size_t i;

	for (i = 0; !ret && i < mounts->n; i++)
		if (mounts->v[i].parent == mount_id)
			ret = dimg_holders_add(h, "%s is mounted inside, on %s",
					       mounts->v[i].source,
					       mounts->v[i].target);
	return ret;
}

/**
 * dimg_fsusers_find - find out who uses a mount
 * @mounts: all mounts
 * @h: filled in; give it to dimg_holders_free(), after a failure too
 *
 * Return: 0, also if nobody was found, or -ENOMEM.
 */
int dimg_fsusers_find(const struct dimg_mounts *mounts,
		      const struct dimg_mounted *m, struct dimg_holders *h)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int ret;

	memset(h, 0, sizeof(*h));
	ret = find_inside(mounts, m->id, h);
	while (d && !ret && (entry = readdir(d)))
		if (isdigit((unsigned char)*entry->d_name))
			ret = look_at_process(entry->d_name, m->id, h);
	if (d)
		closedir(d);
	return ret;
}
