// SPDX-License-Identifier: GPL-2.0
/*
 * privmount.c - owns mounts for the tool's own use: where a file system is
 * mounted, and if nowhere, a mount in a namespace that nobody else sees.
 *
 * Some file systems can be resized only while they are mounted. The private
 * mount is over an existing directory, so there is no trace of it in the file
 * system, and it goes with its process, however that ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dimgsetup.h"

/* The mount that is to be seen in a directory; -1 if not known. */
static int mount_id(const char *dir)
{
	struct statx stx;

	if (statx(AT_FDCWD, dir, AT_NO_AUTOMOUNT, STATX_MNT_ID, &stx) ||
	    !(stx.stx_mask & STATX_MNT_ID))
		return -1;
	return stx.stx_mnt_id;
}

/* Nothing else on the same directory: programs look there by path, too. */
static bool is_only_one(const struct dimg_mounts *mounts,
			const struct dimg_mounted *m)
{
	size_t i;

	for (i = 0; i < mounts->n; i++)
		if (&mounts->v[i] != m && !strcmp(mounts->v[i].target, m->target))
			return false;
	return true;
}

/**
 * dimg_mountpoint - where a block device is mounted in this namespace
 *
 * Return: a directory, to be freed, in which nothing else is mounted, before or
 * after; NULL if there is none.
 */
char *dimg_mountpoint(dev_t dev)
{
	struct dimg_mounts mounts;
	char *dir = NULL;
	struct stat st;
	size_t i;

	if (dimg_mounts_load(&mounts))
		return NULL;
	for (i = mounts.n; !dir && i-- > 0;) {
		const struct dimg_mounted *m = &mounts.v[i];

		/* btrfs has a number of its own: compare the source */
		if ((m->dev == dev ||
		     (m->source && !strncmp(m->source, "/dev/", 5) &&
		      !stat(m->source, &st) && S_ISBLK(st.st_mode) &&
		      st.st_rdev == dev)) &&
		    mount_id(m->target) == m->id && is_only_one(&mounts, m))
			dir = strdup(m->target);
	}
	dimg_mounts_free(&mounts);
	return dir;
}

/* A directory that every system has, to be covered; best without a mount. */
static const char *find_directory(void)
{
	static const char * const dirs[] = { "/mnt", "/media", "/srv", "/tmp" };
	int root = mount_id("/");
	const char *dir = NULL;
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(*dirs); i++) {
		if (lstat(dirs[i], &st) || !S_ISDIR(st.st_mode))
			continue;
		if (mount_id(dirs[i]) == root)
			return dirs[i];
		dir = dir ? dir : dirs[i];
	}
	/* never "/": what is mounted there is not to be seen */
	return dir ? dir : "/sys";
}

/* In the child: mount, work, unmount. */
static int work(const char *node, const char *type,
		int (*fn)(const char *dir, void *arg), void *arg)
{
	const char *dir = find_directory();
	struct dimg_error e;
	int before = -1, ret;
	bool ok;

	ok = !unshare(CLONE_NEWNS) &&
	     !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
	if (ok)
		before = mount_id(dir);
	/* a copy of the image, with the same UUID, may be mounted elsewhere */
	if (!ok ||
	    mount(node, dir, type, MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  strcmp(type, "xfs") ? NULL : "nouuid")) {
		dimg_error_set(&e, errno, "%s cannot be mounted, which is needed to resize it",
			       type);
		ret = dimg_fail(node, &e);
		fputs("Check it (fsck) and run the same command again.\n", stderr);
		return ret;
	}
	if (mount_id(dir) == before) {
		dimg_say(node, "is mounted, but not to be seen in %s: it is not resized\n"
			 "Mount it, and run the same command again.", dir);
		return DIMG_EXIT_REFUSED;
	}
	ret = fn(dir, arg);
	if (umount(dir)) {
		dimg_error_set(&e, errno, "the private mount does not end");
		return dimg_fail(node, &e);
	}
	return ret;
}

/**
 * dimg_with_mount - do something with a file system while it is mounted
 * @node: block device with the file system
 * @fn: called with the directory, in another process
 *
 * If the tool is killed, that process still finishes and unmounts.
 *
 * Return: what @fn returned; an exit code after the reason has been printed.
 */
int dimg_with_mount(const char *node, const char *type,
		    int (*fn)(const char *dir, void *arg), void *arg)
{
	struct dimg_error e;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		/* Ctrl-C is for the tool, which says what is left to do */
		setpgid(0, 0);
		status = work(node, type, fn, arg);
		fflush(NULL);
		_exit(status);
	}
	if (pid < 0) {
		dimg_error_set(&e, errno, "cannot start a process");
		return dimg_fail(node, &e);
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return DIMG_EXIT_KERNEL;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	dimg_say(node, "the process that resizes it was killed\nRun the same command again.");
	return DIMG_EXIT_KERNEL;
}
