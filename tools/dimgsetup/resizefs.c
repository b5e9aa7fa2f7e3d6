// SPDX-License-Identifier: GPL-2.0
/*
 * resizefs.c - owns what "resize" knows of file systems: how large they are,
 * which can become larger or smaller in which state, and the programs that do
 * it. None of their formats is read here.
 *
 * Growing is done mounted wherever that is possible, if need be in a private
 * mount: the kernel does it in transactions, so that a crash in the middle
 * leaves a whole file system. Without root, resize2fs works on an image that is
 * all file system.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "resize.h"

/* All superblocks that the programs look at for the size are in here. */
#define HEAD_BYTES	(1 << 20)
#define TARGET_LEN	64

/* resize_fs_kind - how the file system that was found is resized. */
enum resize_fs resize_fs_kind(const struct resize *r)
{
	const char *type = r->fs.type;

	if (!type)
		return RESIZE_FS_NONE;
	if (!strncmp(type, "ext", 3) && strchr("234", type[3]) && !type[4])
		return RESIZE_FS_EXT;
	if (!strcmp(type, "xfs"))
		return RESIZE_FS_XFS;
	if (!strcmp(type, "btrfs"))
		return RESIZE_FS_BTRFS;
	return strcmp(type, "crypto_LUKS") ? RESIZE_FS_OTHER : RESIZE_FS_LUKS;
}

/*
 * The file system's block device, if it has one.  The name stays that of this device, or
 * of none: the driver gives no number away while the disk is open, as it is here.
 */
void resize_fs_node(const struct resize *r, char *node, size_t len)
{
	int n = snprintf(node, len, "/dev/" DIMG_NODE_PREFIX "%u", r->dev.index);

	if (r->pttype)
		snprintf(node + n, len - n, "p%u", r->part.nr);
}

/* A file as large as the file system, with only its beginning; -1 if none. */
static int copy_head(const struct resize *r, int from, uint64_t start)
{
	uint64_t size = r->pttype ? r->part_old : r->disk_old;
	size_t len = size < HEAD_BYTES ? size : HEAD_BYTES;
	int fd = memfd_create("head", MFD_CLOEXEC);
	char *buf = malloc(len);
	ssize_t got;
	bool ok;

	/* a mounted file system writes past the cache of the disk */
	posix_fadvise(from, start, len, POSIX_FADV_DONTNEED);
	got = buf ? pread(from, buf, len, start) : -1;
	ok = fd >= 0 && got > 0 && !ftruncate(fd, size) &&
	     pwrite(fd, buf, got, 0) == got;
	free(buf);
	if (!ok && fd >= 0)
		close(fd);
	return ok ? fd : -1;
}

/* Ask the program of the file system; 0 bytes if it does not say. */
static uint64_t ask_size(enum resize_fs kind, int fd, struct dimg_run *run)
{
	char file[32];
	char *const ext[] = { "dumpe2fs", "-h", file, NULL };
	char *const xfs[] = { "xfs_db", "-r", "-f", "-c", "sb 0",
			      "-c", "print dblocks blocksize", file, NULL };
	char *const btrfs[] = { "btrfs", "inspect-internal", "dump-super", file,
				NULL };

	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	run->fd = fd;
	switch (kind) {
	case RESIZE_FS_EXT:
		/* 1: it misses the journal, which is behind the beginning */
		if (dimg_run(ext, run) || run->status > 1)
			return 0;
		return dimg_run_number(run, "Block count") *
		       dimg_run_number(run, "Block size");
	case RESIZE_FS_XFS:
		if (dimg_run(xfs, run) || run->status)
			return 0;
		return dimg_run_number(run, "dblocks") *
		       dimg_run_number(run, "blocksize");
	default:
		if (dimg_run(btrfs, run) || run->status ||
		    !dimg_run_number(run, "dev_item.devid"))
			return 0;
		return dimg_run_number(run, "dev_item.total_bytes");
	}
}

/* What the file system says of its size that lies at @start of @from. */
static int look(const struct resize *r, int from, uint64_t start,
		struct dimg_run *run, uint64_t *bytes)
{
	int fd = copy_head(r, from, start);

	*bytes = fd >= 0 ? ask_size(resize_fs_kind(r), fd, run) : 0;
	if (fd >= 0)
		close(fd);
	if (*bytes)
		return 0;
	dimg_say(r->arg, "the size of its file system, %s, cannot be found out: it is not resized%s",
		 r->fs.type, *run->said ? ":" : "\nCheck it (fsck).");
	dimg_run_put_said(run);
	return DIMG_EXIT_REFUSED;
}

/* Does anybody, in whatever namespace, have the block device for himself? */
static bool is_claimed(const struct resize *r, const char *node)
{
	struct dimg_holders h;
	struct stat st;
	bool used;
	int fd;

	/* to claim it would arm it: then whoever uses it counts */
	if (r->dev.flags & DIMGBLK_FLAG_AUTO_DETACH && !stat(node, &st)) {
		used = dimg_holders_find(major(st.st_rdev), minor(st.st_rdev), &h) ||
		       h.n > h.n_udev;
		dimg_holders_free(&h);
		return used;
	}
	fd = open(node, O_RDONLY | O_EXCL | O_CLOEXEC);
	/* who cannot have it does not know that nobody has */
	if (fd < 0)
		return true;
	close(fd);
	return false;
}

/*
 * xfs and btrfs that are mounted write their size to the disk some time after they grew.
 * btrfs does so on request; what xfs has in its log only an unmount brings there.
 */
static int settle_size(const struct resize *r, enum resize_fs kind)
{
	char node[DIMG_NODE_LEN + 16];
	struct stat st;
	char *dir = NULL;
	int fd = -1, ret;

	if (!r->attached || (kind != RESIZE_FS_XFS && kind != RESIZE_FS_BTRFS))
		return 0;
	resize_fs_node(r, node, sizeof(node));
	if (!is_claimed(r, node))
		return 0;
	if (kind == RESIZE_FS_BTRFS && !stat(node, &st))
		dir = dimg_mountpoint(st.st_rdev);
	if (dir)
		fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ret = fd < 0 || syncfs(fd);
	if (fd >= 0)
		close(fd);
	free(dir);
	if (!ret)
		return 0;
	dimg_say(r->arg, "%s is in use, and only the kernel knows how large its %s is by now: nothing is cut off below it\n"
		 "Unmount it first.", node, r->fs.type);
	return DIMG_EXIT_REFUSED;
}

/**
 * resize_fs_size - bytes that the file system takes
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_fs_size(const struct resize *r, uint64_t *bytes)
{
	enum resize_fs kind = resize_fs_kind(r);
	struct dimg_run run = { 0 };
	int ret;

	if (kind != RESIZE_FS_EXT && kind != RESIZE_FS_XFS &&
	    kind != RESIZE_FS_BTRFS) {
		dimg_say(r->arg, "it has %s, and how much of the room that takes is not known: it cannot be made smaller safely\n"
			 "Copy what is in it to a smaller image.",
			 r->fs.type ? r->fs.type : "unknown data");
		return DIMG_EXIT_REFUSED;
	}
	ret = settle_size(r, kind);
	/* of a disk without partitions the start is 0 */
	return ret ? ret : look(r, r->disk_fd, r->part.start, &run, bytes);
}

/**
 * resize_fs_verify - the last look before anything is cut off
 *
 * Whatever went wrong: the file system must have become smaller. Its own device
 * is asked. Without one there is no partition: resize_fs_check() sees to that.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_fs_verify(const struct resize *r)
{
	char node[DIMG_NODE_LEN + 16];
	struct dimg_run run = { 0 };
	struct dimg_error e;
	uint64_t bytes;
	int fd, ret;

	if (r->dry_run || !r->fs_old)
		return 0;
	resize_fs_node(r, node, sizeof(node));
	if (r->attached || r->borrowed) {
		fd = dimg_device_open(node, O_RDONLY, r->dev.diskseq);
	} else {
		fd = dup(r->disk_fd);
		if (fd < 0)
			fd = -errno;
	}
	if (fd < 0) {
		dimg_error_set(&e, -fd, "the file system cannot be looked at");
		return dimg_fail(node, &e);
	}
	ret = look(r, fd, 0, &run, &bytes);
	close(fd);
	if (ret || bytes <= r->fs_new)
		return ret;
	dimg_say(r->arg, "its file system, %s, has %llu bytes and not %llu: nothing is cut off\n"
		 "See that nobody else resizes it, and run the same command again.",
		 r->fs.type, (unsigned long long)bytes,
		 (unsigned long long)r->fs_new);
	return DIMG_EXIT_REFUSED;
}

/* Without its own number of the device, btrfs resizes number 1. */
static int find_devid(struct resize *r)
{
	struct dimg_run run = { 0 };
	uint64_t bytes;
	int ret = look(r, r->disk_fd, r->part.start, &run, &bytes);

	r->devid = dimg_run_number(&run, "dev_item.devid");
	return ret;
}

static int check_programs(enum resize_fs kind)
{
	int ret;

	switch (kind) {
	case RESIZE_FS_EXT:
		ret = dimg_run_check("e2fsck");
		return ret ? ret : dimg_run_check("resize2fs");
	case RESIZE_FS_XFS:
		return dimg_run_check("xfs_growfs");
	case RESIZE_FS_BTRFS:
		return dimg_run_check("btrfs");
	default:
		return 0;
	}
}

/* The programs would mount it, or claim it, and the device go with that. */
static int check_auto_detach(const struct resize *r, enum resize_fs kind)
{
	char node[DIMG_NODE_LEN + 16];
	struct stat st;
	char *dir;

	if (!r->attached || !(r->dev.flags & DIMGBLK_FLAG_AUTO_DETACH) ||
	    (kind != RESIZE_FS_EXT && kind != RESIZE_FS_XFS && kind != RESIZE_FS_BTRFS))
		return 0;
	resize_fs_node(r, node, sizeof(node));
	dir = stat(node, &st) ? NULL : dimg_mountpoint(st.st_rdev);
	if (dir) {
		free(dir);
		return 0;
	}
	dimg_say(r->arg, "%s is not mounted here, and the device would be detached by this use (--auto-detach)\n"
		 "Mount it first, or detach it and resize the image.", node);
	return DIMG_EXIT_REFUSED;
}

static int check_shrink(const struct resize *r, enum resize_fs kind)
{
	char node[DIMG_NODE_LEN + 16];

	switch (kind) {
	case RESIZE_FS_BTRFS:
		return 0;
	case RESIZE_FS_EXT:
		resize_fs_node(r, node, sizeof(node));
		if (!r->attached || !is_claimed(r, node))
			return 0;
		dimg_say(r->arg, "%s is in use, and %s becomes smaller only while it is not mounted\n"
			 "Unmount it first.", node, r->fs.type);
		return DIMG_EXIT_REFUSED;
	case RESIZE_FS_XFS:
		dimg_say(r->arg, "it has xfs, which cannot become smaller\n"
			 "Copy what is in it to a smaller image.");
		return DIMG_EXIT_REFUSED;
	default:
		dimg_say(r->arg, "it has %s, which nothing here can make smaller\n"
			 "Make it smaller by its own means, or copy what is in it to a smaller image.",
			 r->fs.type ? r->fs.type : "unknown data");
		return DIMG_EXIT_REFUSED;
	}
}

/*
 * resize2fs takes "FILE?offset=N", too, but cuts FILE to the size of the file
 * system afterwards, whatever else is in it: no way for a partition.
 */
static bool needs_device(const struct resize *r, enum resize_fs kind)
{
	return kind == RESIZE_FS_XFS || kind == RESIZE_FS_BTRFS ||
	       (kind == RESIZE_FS_EXT && r->pttype);
}

/* Does this kernel keep everyone from writing to a disk that is mounted, as this one is? */
static bool is_write_blocked(const char *node)
{
	int fd = open(node, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 && errno == EBUSY;
}

/* resize2fs opens for writing what it only tells the kernel to grow. */
static int fail_blocked(const struct resize *r, const char *node)
{
	dimg_say(r->arg, "%s is mounted, and this kernel lets nobody write to a mounted disk, as resize2fs has to\n"
		 "Unmount it first; bdev_allow_write_mounted=1 on the kernel's command line allows it.",
		 node);
	return DIMG_EXIT_BUSY;
}

static int check_blocked(const struct resize *r, enum resize_fs kind)
{
	char node[DIMG_NODE_LEN + 16];

	if (!r->attached || kind != RESIZE_FS_EXT)
		return 0;
	resize_fs_node(r, node, sizeof(node));
	return is_claimed(r, node) && is_write_blocked(node) ?
		fail_blocked(r, node) : 0;
}

/**
 * resize_fs_check - whether the file system can be resized as planned
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_fs_check(struct resize *r)
{
	enum resize_fs kind = resize_fs_kind(r);
	int ret;

	ret = check_auto_detach(r, kind);
	if (!ret && r->fs_new < r->fs_old)
		ret = check_shrink(r, kind);
	if (!ret)
		ret = check_blocked(r, kind);
	if (!ret)
		ret = check_programs(kind);
	if (!ret && kind == RESIZE_FS_BTRFS)
		ret = find_devid(r);
	if (!ret && !r->attached && geteuid() && needs_device(r, kind)) {
		dimg_say(r->arg, "it has %s%s, which is resized on a block device only\nRun it as root (sudo).",
			 r->fs.type, r->pttype ? " in a partition" : "");
		return DIMG_EXIT_PERMISSION;
	}
	return ret;
}

/* Run one program to its end; @ok is the largest exit status that is no error. */
static int run_tool(const struct resize *r, char *const argv[], int ok)
{
	struct dimg_run run = { .fd = r->fd > 0 ? r->fd : 0, .survives = true };
	int ret = dimg_run(argv, &run);

	if (ret || run.status <= ok)
		return ret;
	return dimg_run_fail(r->arg, argv, &run,
			     "Mend what it complains of, then run the same command again; the steps that are done are not done twice.");
}

static int check_ext(const struct resize *r, char *target)
{
	char *const argv[] = { "e2fsck", "-f", "-p", target, NULL };

	/* 1: errors were corrected */
	return run_tool(r, argv, 1);
}

/* What a process that mounted it says of one that can only be resized unmounted. */
#define NOT_MOUNTED	64

/* Called with the file system mounted. */
static int grow_mounted(const char *dir, void *arg)
{
	const struct resize *r = arg;
	char node[DIMG_NODE_LEN + 16], size[48];
	char *const ext[] = { "resize2fs", node, NULL };
	char *const xfs[] = { "xfs_growfs", (char *)dir, NULL };
	char *const btrfs[] = { "btrfs", "filesystem", "resize", size,
				(char *)dir, NULL };

	resize_fs_node(r, node, sizeof(node));
	switch (resize_fs_kind(r)) {
	case RESIZE_FS_EXT:
		return is_write_blocked(node) ? NOT_MOUNTED : run_tool(r, ext, 0);
	case RESIZE_FS_XFS:
		return run_tool(r, xfs, 0);
	default:
		if (r->fs_new < r->fs_old)
			snprintf(size, sizeof(size), "%llu:%llu",
				 (unsigned long long)r->devid,
				 (unsigned long long)r->fs_new);
		else
			snprintf(size, sizeof(size), "%llu:max",
				 (unsigned long long)r->devid);
		return run_tool(r, btrfs, 0);
	}
}

/* On the block device, mounted or not. */
static int run_on_node(struct resize *r)
{
	char node[DIMG_NODE_LEN + 16];
	char *const ext[] = { "resize2fs", node, NULL };
	struct stat st;
	char *dir = NULL;
	int ret = 0;

	resize_fs_node(r, node, sizeof(node));
	if (!stat(node, &st))
		dir = dimg_mountpoint(st.st_rdev);
	if (dir) {
		ret = grow_mounted(dir, r);
		free(dir);
		/* mounted since it was checked */
		return ret == NOT_MOUNTED ? fail_blocked(r, node) : ret;
	}
	/* in another namespace it may be mounted: then it is sound, and busy */
	if (resize_fs_kind(r) == RESIZE_FS_EXT && !is_claimed(r, node))
		ret = check_ext(r, node);
	if (!ret)
		ret = dimg_with_mount(node, r->fs.type, grow_mounted, r);
	if (ret != NOT_MOUNTED)
		return ret;
	/* the mount is younger than the check, which resize2fs does not accept */
	ret = check_ext(r, node);
	return ret ? ret : run_tool(r, ext, 0);
}

/* ext2, 3, 4, not mounted: on its node, or in the image itself. */
static int run_offline(const struct resize *r)
{
	char target[TARGET_LEN], size[32];
	char *const argv[] = { "resize2fs", target, size, NULL };
	bool on_node = r->attached || r->borrowed;
	struct dimg_error e;
	int ret;

	if (on_node)
		resize_fs_node(r, target, sizeof(target));
	else
		snprintf(target, sizeof(target), "/proc/self/fd/%d", r->fd);
	snprintf(size, sizeof(size), "%llus",
		 (unsigned long long)r->fs_new / DIMG_SECTOR_SIZE);
	ret = check_ext(r, target);
	if (!ret)
		ret = run_tool(r, argv, 0);
	/* resize2fs cuts a file to whole blocks, or block groups */
	if (ret || on_node || (!ftruncate(r->fd, r->file_new) && !fsync(r->fd)))
		return ret;
	dimg_error_set(&e, errno, "the size of the image cannot be changed");
	return dimg_fail(r->path, &e);
}

/**
 * resize_fs_run - let the file system fill its place, or leave it
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_fs_run(const struct resize *r)
{
	enum resize_fs kind = resize_fs_kind(r);

	switch (kind) {
	case RESIZE_FS_NONE:
		return 0;
	case RESIZE_FS_LUKS:
		dimg_say(r->arg, "left to do: it is encrypted; once it is open, \"cryptsetup resize NAME\", then resize what is in it");
		return 0;
	case RESIZE_FS_OTHER:
		dimg_say(r->arg, "left to do: nothing here resizes %s; it keeps its size",
			 r->fs.type);
		return 0;
	case RESIZE_FS_EXT:
		if (r->fs_new < r->fs_old || !(r->attached || r->borrowed))
			return run_offline(r);
		return run_on_node((struct resize *)r);
	default:
		return run_on_node((struct resize *)r);
	}
}
