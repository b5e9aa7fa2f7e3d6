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
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dimgsetup.h"

/**
 * dimg_mountpoint - where a block device is mounted in this namespace
 *
 * Return: a directory, to be freed; NULL if it is mounted nowhere.
 */
char *dimg_mountpoint(dev_t dev)
{
	struct dimg_mounts mounts;
	char *dir = NULL;
	struct stat st;
	size_t i;

	if (dimg_mounts_load(&mounts))
		return NULL;
	/* the last one is on top of others on the same directory */
	for (i = mounts.n; !dir && i-- > 0;) {
		const struct dimg_mounted *m = &mounts.v[i];

		/* btrfs has a number of its own: compare the source */
		if (m->dev == dev ||
		    (m->source && !strncmp(m->source, "/dev/", 5) &&
		     !stat(m->source, &st) && S_ISBLK(st.st_mode) &&
		     st.st_rdev == dev))
			dir = strdup(m->target);
	}
	dimg_mounts_free(&mounts);
	return dir;
}

/* A directory that every system has, to be covered. */
static const char *find_directory(void)
{
	static const char * const dirs[] = { "/mnt", "/media", "/srv", "/tmp" };
	struct stat st;
	size_t i;

	for (i = 0; i < sizeof(dirs) / sizeof(*dirs); i++)
		if (!stat(dirs[i], &st) && S_ISDIR(st.st_mode))
			return dirs[i];
	return "/";
}

/* In the child: mount, work, unmount. */
static int work(const char *node, const char *type,
		int (*fn)(const char *dir, void *arg), void *arg)
{
	const char *dir = find_directory();
	struct dimg_error e;
	int ret;

	/* a copy of the image, with the same UUID, may be mounted elsewhere */
	if (unshare(CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(node, dir, type, MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  strcmp(type, "xfs") ? NULL : "nouuid")) {
		dimg_error_set(&e, errno, "%s cannot be mounted, which is needed to resize it",
			       type);
		ret = dimg_fail(node, &e);
		fputs("Check it (fsck) and run the same command again.\n", stderr);
		return ret;
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
