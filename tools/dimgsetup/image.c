// SPDX-License-Identifier: GPL-2.0
/*
 * image.c - owns the image file or block device as the user names it: opens it
 * for the kernel, and measures it.
 *
 * Only what the kernel cannot know or cannot say as well is checked here; the
 * kernel checks everything that counts.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "dimgsetup.h"

/* Which kind of file cannot be an image; NULL if it may be one. */
static const char *wrong_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
		return NULL;
	case S_IFDIR:
		return "is a directory";
	case S_IFCHR:
		return "is a character device";
	case S_IFIFO:
		return "is a pipe";
	case S_IFSOCK:
		return "is a socket";
	default:
		return "is no file";
	}
}

/* Say who has the block device claimed that we wanted for ourselves. */
static int fail_claimed(const char *path, dev_t dev)
{
	struct dimg_holders h;
	struct dimg_error e;
	int ret;

	dimg_error_set(&e, EBUSY, "the block device is in use");
	dimg_holders_find(major(dev), minor(dev), &h);
	ret = dimg_fail_busy(path, &e, &h);
	dimg_holders_free(&h);
	return ret;
}

static int fail_open(const char *path, const struct stat *st, bool read_only)
{
	struct dimg_error e;
	int err = errno;

	if (err == EBUSY && S_ISBLK(st->st_mode))
		return fail_claimed(path, st->st_rdev);
	if (S_ISBLK(st->st_mode) && (err == ENODEV || err == ENXIO)) {
		dimg_say(path, "is a node without a device behind it: %s\n"
			 "Check the path; \"lsblk\" shows the disks that are there.",
			 strerror(err));
		return DIMG_EXIT_REFUSED;
	}
	/* an unwritable image is never turned into a read-only device silently */
	if (!read_only && err == EACCES) {
		dimg_say(path, "cannot be opened for writing: %s\n"
			 "Use -r to attach it read-only, or run it as root (sudo).",
			 strerror(err));
		return DIMG_EXIT_PERMISSION;
	}
	if (!read_only && err == EPERM) {
		dimg_say(path, "is marked immutable or append-only: %s\n"
			 "Use -r to attach it read-only, or remove the mark: chattr -i -a FILE.",
			 strerror(err));
		return DIMG_EXIT_PERMISSION;
	}
	if (err == ETXTBSY) {
		dimg_say(path, "is in use as swap space or as a running program: %s\n"
			 "\"swapoff FILE\" or end the program first.", strerror(err));
		return DIMG_EXIT_REFUSED;
	}
	dimg_error_set(&e, err, "cannot be opened for %s",
		       read_only ? "reading" : "reading and writing");
	return dimg_fail(path, &e);
}

/* Size in bytes of what is open as @fd; 0 or -errno. */
static int measure(int fd, const struct stat *st, uint64_t *bytes)
{
	*bytes = st->st_size;
	if (S_ISBLK(st->st_mode) && ioctl(fd, BLKGETSIZE64, bytes))
		return -errno;
	return 0;
}

/*
 * Files in /proc and its like show no size although they can be read. To call
 * them empty would be wrong; the kernel refuses them for what they are.
 */
static bool is_sizeless(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && !fs.f_blocks;
}

/* Things that would make a device nobody can use. */
static int check_usable(const struct dimg_image *img, bool read_only)
{
	int seals = fcntl(img->fd, F_GET_SEALS);

	if (!img->size && is_sizeless(img->fd))
		return 0;
	if (!img->size) {
		dimg_say(img->path, "is empty, there is nothing to attach\n"
			 "Give it a size first: \"truncate -s 1G FILE\".");
		return DIMG_EXIT_REFUSED;
	}
	if (img->size < DIMG_SECTOR_SIZE) {
		dimg_say(img->path, "has %llu bytes, less than one sector of %d\n"
			 "Make it larger: \"truncate -s 1G FILE\".",
			 (unsigned long long)img->size, DIMG_SECTOR_SIZE);
		return DIMG_EXIT_REFUSED;
	}
	if (!read_only && seals > 0 &&
	    seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)) {
		dimg_say(img->path, "is a memfd sealed against writing\n"
			 "Use -r to attach it read-only.");
		return DIMG_EXIT_REFUSED;
	}
	return 0;
}

/* What was opened: is it what was looked at before, and can it be used? */
static int check_opened(struct dimg_image *img, const struct stat *before,
			bool read_only)
{
	struct stat st;

	if (fcntl(img->fd, F_SETFL, 0) || fstat(img->fd, &st) ||
	    measure(img->fd, &st, &img->size))
		return fail_open(img->path, before, read_only);
	/* a block device in the place of a file would not be claimed */
	if ((st.st_mode & S_IFMT) != (before->st_mode & S_IFMT)) {
		dimg_say(img->path, "was replaced by another kind of file meanwhile\nCheck the path and try again.");
		return DIMG_EXIT_REFUSED;
	}
	return check_usable(img, read_only);
}

/**
 * dimg_image_open - open an image for attach
 * @read_only: open without write access
 * @shared: do not claim a block device for this one use
 * @img: filled in on success; give it to dimg_image_close()
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_image_open(const char *path, bool read_only, bool shared,
		    struct dimg_image *img)
{
	/* O_NONBLOCK: if a pipe took the file's place, do not wait for a writer */
	int flags = O_CLOEXEC | O_NONBLOCK | (read_only ? O_RDONLY : O_RDWR);
	struct stat st;
	int ret;

	img->path = path;
	img->fd = -1;
	if (stat(path, &st)) {
		struct dimg_error e;

		dimg_error_set(&e, errno, "%s", "");
		return dimg_fail(path, &e);
	}
	/* before open(): opening some devices has effects of its own */
	if (wrong_kind(st.st_mode)) {
		dimg_say(path, "%s\nOnly regular files and block devices can be attached.",
			 wrong_kind(st.st_mode));
		return DIMG_EXIT_REFUSED;
	}
	/* the claim refuses a mounted disk, and lasts until the detach */
	if (S_ISBLK(st.st_mode) && !read_only && !shared)
		flags |= O_EXCL;
	img->fd = open(path, flags);
	if (img->fd < 0)
		return fail_open(path, &st, read_only);
	ret = check_opened(img, &st, read_only);
	if (ret)
		dimg_image_close(img);
	return ret;
}

/**
 * dimg_image_sector_size - what a table on this image counts in, by default
 *
 * Return: the logical block size of a block device, 512 for a file.
 */
uint32_t dimg_image_sector_size(const struct dimg_image *img)
{
	int bytes;

	/* of a file the ioctl is not known */
	if (ioctl(img->fd, BLKSSZGET, &bytes) || bytes <= 0)
		return DIMG_SECTOR_SIZE;
	return bytes;
}

/**
 * dimg_image_overcommits - can a sparse image outgrow its file system?
 * @fd: the image, open in any way, O_PATH too
 * @needed: set to the bytes that it has promised, but not allocated
 * @avail: set to the bytes that are free for it
 *
 * Return: true if @needed is more than @avail; false for block devices, and for
 * file systems that do not tell.
 */
bool dimg_image_overcommits(int fd, uint64_t *needed, uint64_t *avail)
{
	uint64_t allocated;
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || fstatvfs(fd, &fs) ||
	    !fs.f_blocks)
		return false;
	allocated = st.st_blocks * UINT64_C(512);
	*needed = (uint64_t)st.st_size > allocated ? st.st_size - allocated : 0;
	*avail = (uint64_t)fs.f_bavail * fs.f_frsize;
	return *needed > *avail;
}

/* dimg_image_close - the kernel has its own reference after an attach. */
void dimg_image_close(struct dimg_image *img)
{
	if (img->fd >= 0)
		close(img->fd);
	img->fd = -1;
}

/**
 * dimg_image_size - size of the backing file of a device, now
 * @bytes: set on success
 *
 * The path is the kernel's; a file that was deleted, replaced or lies in
 * another mount namespace cannot be measured.
 *
 * Return: 0, -ENOENT if it cannot be found under its path.
 */
int dimg_image_size(const struct dimg_device *dev, uint64_t *bytes)
{
	struct stat st;
	int fd, ret;

	if (!dev->backing_path || stat(dev->backing_path, &st))
		return -ENOENT;
	/* the inode alone is not enough: another file may be mounted over it */
	if (S_ISREG(st.st_mode) && st.st_ino == dev->backing_inode &&
	    st.st_dev == makedev(dev->backing_major, dev->backing_minor)) {
		*bytes = st.st_size;
		return 0;
	}
	if (!S_ISBLK(st.st_mode) ||
	    st.st_rdev != makedev(dev->backing_major, dev->backing_minor))
		return -ENOENT;
	fd = open(dev->backing_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -ENOENT;
	ret = measure(fd, &st, bytes);
	close(fd);
	return ret ? -ENOENT : 0;
}
