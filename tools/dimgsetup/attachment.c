// SPDX-License-Identifier: GPL-2.0
/*
 * attachment.c - owns the way from options (attachopt.c) to a device, for
 * whoever attaches.
 *
 * dimg_attach_open() does all that can be done without the driver: a typing
 * error must not load a module. dimg_attach_run() asks the kernel; what it warns
 * about comes from the kernel's reply, never from what was asked for.
 */
#include <errno.h>
#include <string.h>

#include "dimgsetup.h"

/* dimg_attach_init - everything the kernel's choice, nothing open. */
void dimg_attach_init(struct dimg_attach *a)
{
	memset(a, 0, sizeof(*a));
	a->img.fd = -1;
	dimg_attach_give(a, DIMGBLK_A_FLAGS);
}

/* Options that make sense alone, but not together. */
static int check_options(const struct dimg_attach *a)
{
	if (a->part && (dimg_attach_is_given(a, DIMGBLK_A_OFFSET) ||
			dimg_attach_is_given(a, DIMGBLK_A_SIZE_LIMIT)))
		return dimg_usage_error("--part chooses the offset and the size itself; leave out --offset and --sizelimit");
	return 0;
}

/* What the partition table counts in, and with it the block size of choice. */
static int find_sector_size(struct dimg_attach *a)
{
	uint64_t offset = a->req.offset;
	struct dimg_error e;
	uint32_t bytes;
	int ret;

	/* an impossible offset is the kernel's to refuse, in its words */
	if (offset >= a->img.size)
		return 0;
	ret = dimg_probe_sector_size(a->img.fd, offset, &a->gpt_sector_size);
	if (ret) {
		dimg_error_set(&e, -ret, "cannot be read");
		return dimg_fail(a->path, &e);
	}
	bytes = a->gpt_sector_size;
	/*
	 * 512 is what the kernel takes by itself, unless the storage below
	 * allows larger blocks only: then a warning is better than a refusal.
	 */
	if (bytes <= DIMG_SECTOR_SIZE || offset % bytes ||
	    a->req.size_limit % bytes ||
	    dimg_attach_is_given(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE))
		return 0;
	a->req.logical_block_size = bytes;
	dimg_attach_give(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE);
	dimg_note(a->path, "the GPT was made for sectors of %u bytes: this is the logical block size",
		  bytes);
	return 0;
}

/**
 * dimg_attach_table_sector_size - what the partition table of an image counts in
 * @a: the options
 * @img: the image, or its device
 * @gpt: what its GPT was made for, 0 if it has none: an MBR does not say it
 */
uint32_t dimg_attach_table_sector_size(const struct dimg_attach *a,
				       const struct dimg_image *img,
				       uint32_t gpt)
{
	if (gpt)
		return gpt;
	if (dimg_attach_is_given(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE))
		return a->req.logical_block_size;
	return dimg_image_sector_size(img);
}

static int find_window(struct dimg_attach *a)
{
	int ret = find_sector_size(a);

	if (ret || !a->part)
		return ret;
	ret = dimg_partition_find(&a->img,
				  dimg_attach_table_sector_size(a, &a->img,
								a->gpt_sector_size),
				  a->part, &a->req.offset, &a->req.size_limit);
	if (ret)
		return ret;
	dimg_attach_give(a, DIMGBLK_A_OFFSET);
	dimg_attach_give(a, DIMGBLK_A_SIZE_LIMIT);
	dimg_note(a->path, "partition %s: offset %llu, %llu bytes", a->part,
		  (unsigned long long)a->req.offset,
		  (unsigned long long)a->req.size_limit);
	return 0;
}

/**
 * dimg_attach_open - all that can be done and refused without the driver
 * @a: path and options are set; give it to dimg_attach_close() in any case
 *
 * Opens the image, locks it, finds the sector size and the partition.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_attach_open(struct dimg_attach *a)
{
	bool read_only = a->req.flags & DIMGBLK_FLAG_READ_ONLY;
	bool shared = a->req.flags & DIMGBLK_FLAG_ALLOW_OVERLAP;
	int ret = check_options(a);

	if (ret)
		return ret;
	ret = dimg_image_open(a->path, read_only, shared, &a->img);
	if (!ret && !read_only && !shared)
		ret = dimg_lock_check_loop(&a->img);
	if (!ret && !a->no_lock)
		ret = dimg_lock_image(&a->img, read_only);
	if (!ret)
		ret = find_window(a);
	a->req.backing_fd = a->img.fd;
	return ret;
}

/* Point out bytes of the image that the device does not have. */
static void warn_size(const struct dimg_attach *a, const struct dimg_device *dev)
{
	uint64_t size = dev->capacity * DIMG_SECTOR_SIZE;
	uint64_t rest = a->img.size > dev->offset ? a->img.size - dev->offset : 0;

	if (dev->size_limit && dev->size_limit <= rest)
		rest = dev->size_limit;
	else if (dev->size_limit > rest)
		dimg_say(a->path,
			 "warning: --sizelimit %llu is more than the image has; the device has %llu bytes",
			 (unsigned long long)dev->size_limit,
			 (unsigned long long)size);
	if (rest > size)
		dimg_say(a->path,
			 "warning: the last %llu bytes are not part of the device: the size is no multiple of the logical block size, %u",
			 (unsigned long long)(rest - size),
			 dev->logical_block_size);
}

/* The image may be promised more than its file system can give. */
static void warn_space(const struct dimg_attach *a, const struct dimg_device *dev)
{
	char needed_text[16], free_text[16];
	uint64_t needed, avail;

	if (dev->flags & DIMGBLK_FLAG_READ_ONLY ||
	    !dimg_image_overcommits(a->img.fd, &needed, &avail))
		return;
	dimg_human_size(needed, needed_text, sizeof(needed_text));
	dimg_human_size(avail, free_text, sizeof(free_text));
	dimg_say(a->path,
		 "warning: the image can grow by %s, but its file system has %s free; writes fail when that is used up",
		 needed_text, free_text);
}

/* A GPT is found at the second sector only: of another size, it is not seen. */
static void warn_sector_size(const struct dimg_attach *a,
			     const struct dimg_device *dev)
{
	if (!a->gpt_sector_size || a->part ||
	    a->gpt_sector_size == dev->logical_block_size)
		return;
	dimg_say(a->path,
		 "warning: the GPT was made for sectors of %u bytes, the device has %u; its partitions cannot be seen\n"
		 "Use -b %u if the image and the storage below it allow that.",
		 a->gpt_sector_size, dev->logical_block_size,
		 a->gpt_sector_size);
}

/**
 * dimg_attach_try - attach what dimg_attach_open() has opened
 * @dev: set on success to what is in effect; give it to dimg_device_free()
 * @e: set on failure; not printed, the caller may know better
 *
 * When it returns 0 the device is complete: partitions, nodes and links are
 * there. Prints nothing on stdout.
 *
 * Return: 0 or -errno.
 */
int dimg_attach_try(struct dimg_nl *nl, struct dimg_attach *a,
		    struct dimg_device *dev, struct dimg_error *e)
{
	/* udev may be done with the device before the reply is here */
	uint64_t start_us = dimg_now_us();
	int ret;

	ret = dimg_nl_attach(nl, &a->req, dev, e);
	if (ret)
		return ret;
	warn_size(a, dev);
	warn_sector_size(a, dev);
	warn_space(a, dev);
	dimg_note(a->path, "direct I/O is %s%s%s",
		  dev->direct_in_use ? "on" : "off",
		  dev->direct_reason ? ": " : "",
		  dev->direct_reason ? dev->direct_reason : "");
	ret = dimg_settle(dev, start_us);
	if (ret)
		dimg_note(a->path, "did not wait for udev: %s",
			  strerror(-ret));
	return 0;
}

/**
 * dimg_attach_run - as dimg_attach_try(), but tell the reason of a failure
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_attach_run(struct dimg_nl *nl, struct dimg_attach *a,
		    struct dimg_device *dev)
{
	struct dimg_error e;

	return dimg_attach_try(nl, a, dev, &e) ?
		dimg_fail_attach(a->path, &e) : 0;
}

/* dimg_attach_close - what is attached stays; the kernel has its own reference. */
void dimg_attach_close(struct dimg_attach *a)
{
	dimg_image_close(&a->img);
}
