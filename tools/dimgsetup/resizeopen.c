// SPDX-License-Identifier: GPL-2.0
/*
 * resizeopen.c - owns the way from the argument of "resize" to the open image
 * and its device, and to the sizes that they have and will have.
 *
 * An image that is not attached is found without the module, and locked, so
 * that neither QEMU nor a loop device has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resize.h"

/* How long who looks at a borrowed device, udev as a rule, is waited for. */
#define BORROWED_PATIENCE_US	(30 * 1000000ULL)

/* Is @arg a file that no device has? Then it is resized as it is. */
static int find_device(struct resize *r, bool *is_file)
{
	struct dimg_devices all = { 0 };
	bool named = false;
	struct dimg_error e;
	struct stat st;
	size_t i;

	*is_file = !stat(r->arg, &st) && S_ISREG(st.st_mode);
	if (!*is_file)
		return r->nl ? 0 : dimg_connect(&r->nl);
	/* the module is not loaded for the question */
	if (!r->nl && dimg_nl_open(&r->nl, &e)) {
		r->nl = NULL;
		return 0;
	}
	if (dimg_nl_dump(r->nl, &all, &e))
		return dimg_fail(NULL, &e);
	for (i = 0; i < all.n; i++) {
		named |= all.v[i].name && !strcmp(all.v[i].name, r->arg);
		named |= dimg_device_is_on(&all.v[i], r->arg, &st);
	}
	dimg_devices_free(&all);
	*is_file = !named;
	return 0;
}

static int fail_hidden(const struct resize *r)
{
	/* as the subject: a path may hold terminal controls */
	dimg_say(r->dev.backing_path,
		 "the image is not to be found under this path, so nobody knows its size\n"
		 "Give it its path back, or say --shrink and no size to take the size of the image whatever it is.");
	return DIMG_EXIT_REFUSED;
}

/**
 * resize_open_disk - open the device, whose contents are looked at
 *
 * Its lock keeps udev from reading the partition table in between: without
 * it the partition's node would vanish for a moment under the programs that run.
 * udev's own look, which a new or just written device has before it, is waited for.
 *
 * A kernel may let nobody write to a disk that is mounted (bdev_allow_write_mounted).
 * Such a disk has no table that would be written, so reading is enough.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_open_disk(struct resize *r)
{
	char node[DIMG_NODE_LEN + 8];
	struct dimg_error e;
	int fd;

	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", r->dev.index);
	fd = dimg_device_open(node, r->dry_run ? O_RDONLY : O_RDWR, r->dev.diskseq);
	if (fd == -EBUSY)
		fd = dimg_device_open(node, O_RDONLY, r->dev.diskseq);
	if (fd >= 0) {
		r->disk_fd = fd;
		if (dimg_flock(r->disk_fd))
			dimg_note(node, "is locked (flock) by another program; going on");
		return 0;
	}
	dimg_error_set(&e, -fd, "the device cannot be opened");
	return dimg_fail(node, &e);
}

/**
 * resize_read_disk_only - nothing is written to the disk any more, so it can be mounted
 *
 * Only one without partitions: with them it stays locked, see resize_open_disk(), and
 * nobody mounts it. On failure it stays open as it is, and a mount says what is wrong.
 */
void resize_read_disk_only(struct resize *r)
{
	char node[DIMG_NODE_LEN + 8];
	int fd;

	if (r->pttype || !(r->attached || r->borrowed))
		return;
	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", r->dev.index);
	fd = dimg_device_open(node, O_RDONLY, r->dev.diskseq);
	if (fd < 0)
		return;
	close(r->disk_fd);
	r->disk_fd = fd;
}

/* The file below a device: that of the kernel, not another one of its path. */
static int open_backing(struct resize *r)
{
	struct stat st;

	if (dimg_image_size(&r->dev, &r->file_old))
		return fail_hidden(r);
	r->path = strdup(r->dev.backing_path);
	if (!r->path)
		return DIMG_EXIT_KERNEL;
	if (!r->has_size)
		return 0;
	if (!stat(r->path, &st) && S_ISBLK(st.st_mode)) {
		dimg_say(r->path, "is a block device; its size is not for this command to change\n"
			 "Change it by its own means (lvresize, for one), then run this command without a size.");
		return DIMG_EXIT_REFUSED;
	}
	r->fd = open(r->path, O_RDWR | O_CLOEXEC);
	if (r->fd >= 0 && !fstat(r->fd, &st) &&
	    dimg_device_is_on(&r->dev, r->path, &st))
		return 0;
	return fail_hidden(r);
}

/* A device, whose size and contents are the kernel's to tell. */
static int open_attached(struct resize *r)
{
	int ret = dimg_resolve_one(r->nl, r->arg, &r->dev);

	if (ret)
		return ret;
	r->attached = true;
	r->disk_old = r->dev.capacity * DIMG_SECTOR_SIZE;
	if (r->dev.state != DIMGBLK_STATE_LIVE) {
		dimg_say(r->arg, "is being detached\n\"dimgsetup list\" shows what is attached.");
		return DIMG_EXIT_NOT_FOUND;
	}
	if (!dimg_device_knows(&r->dev, DIMGBLK_A_BACKING_PATH)) {
		dimg_say(r->arg, "only root may resize a device\nRun it as root (sudo).");
		return DIMG_EXIT_PERMISSION;
	}
	/* the kernel knows the size of a file that has no path any more */
	if (!r->has_size && !r->all && r->shrink && !r->dry_run &&
	    dimg_image_size(&r->dev, &r->file_old)) {
		r->file_old = r->dev.offset + r->disk_old;
		return 0;
	}
	ret = open_backing(r);
	if (!ret && (r->all || r->has_size))
		ret = resize_open_disk(r);
	return ret;
}

/* An image without a device. */
static int open_file(struct resize *r)
{
	bool written = dimg_has_writer(r->arg);
	struct dimg_image img;
	int ret;

	if (!r->has_size && !r->all) {
		dimg_say(r->arg, "is not attached, so there is no device to follow its size\n"
			 "Give a size, or --all for partition and file system to follow; or attach it.");
		return DIMG_EXIT_NOT_FOUND;
	}
	r->path = strdup(r->arg);
	if (!r->path)
		return DIMG_EXIT_KERNEL;
	ret = dimg_image_open(r->path, r->dry_run, false, &img);
	if (ret)
		return ret;
	r->fd = img.fd;
	r->disk_fd = img.fd;
	r->file_old = img.size;
	if (r->dry_run)
		return 0;
	ret = dimg_lock_check_loop(&img);
	if (!ret)
		ret = dimg_lock_alone(&img);
	return !ret && written ? dimg_fail_writer(r->arg) : ret;
}

static int compute_sizes(struct resize *r)
{
	r->file_new = r->file_old;
	if (r->has_size &&
	    dimg_size_change_apply(&r->change, r->file_old, &r->file_new))
		return dimg_usage_error("%s has %llu bytes: nothing, or more than any file has, would be left of it",
					r->arg, (unsigned long long)r->file_old);
	/* a file that was changed by other means: the device has the old size */
	if (!r->attached)
		r->disk_old = resize_window(&r->dev, r->file_old);
	r->disk_new = resize_window(&r->dev, r->file_new);
	return 0;
}

/**
 * resize_open - find and open what the argument means
 * @r: give it to resize_close() in any case
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_open(struct resize *r)
{
	bool is_file;
	int ret = find_device(r, &is_file);

	if (!ret)
		ret = is_file ? open_file(r) : open_attached(r);
	return ret ? ret : compute_sizes(r);
}

/* Close the disk; a borrowed one is detached, and gone for the next command, too. */
static int close_disk(struct resize *r)
{
	if (!r->borrowed) {
		if (!r->dry_run)
			dimg_close_written(r->disk_fd, &r->dev);
		else if (r->disk_fd >= 0)
			close(r->disk_fd);
		return 0;
	}
	if (r->disk_fd >= 0)
		close(r->disk_fd);
	/* somebody who uses it nevertheless keeps it until his last close */
	return dimg_detach_device(r->nl, &r->dev, DIMGBLK_DETACH_STRICT,
				  BORROWED_PATIENCE_US);
}

/**
 * resize_close - give back what resize_open() and resize_open_disk() have opened
 *
 * Return: 0, or an exit code after the reason has been printed: a device that was
 * attached for this command could not be detached.
 */
int resize_close(struct resize *r)
{
	int ret = 0;

	if (r->attached || r->borrowed)
		ret = close_disk(r);
	if (r->nl)
		dimg_nl_close(r->nl);
	if (r->fd >= 0)
		close(r->fd);
	if (r->draft >= 0)
		close(r->draft);
	if (r->attached || r->borrowed)
		dimg_device_free(&r->dev);
	dimg_probe_free(&r->fs);
	free(r->pttype);
	free(r->path);
	return ret;
}
