// SPDX-License-Identifier: GPL-2.0
/*
 * tabdiff.c - owns the comparison of an attached device with its line of
 * /etc/dimgtab. What the line does not say is the kernel's choice, and no
 * difference.
 */
#include <sys/stat.h>

#include "dimgtab.h"

static bool is_given(const struct dimg_tab_entry *e, int attr)
{
	return e->attach.req.given & (UINT64_C(1) << attr);
}

static int differ_number(const char *what, uint64_t table, uint64_t device)
{
	if (table == device)
		return 0;
	dimg_say(NULL, "%s is %llu, the table says %llu", what,
		 (unsigned long long)device, (unsigned long long)table);
	return 1;
}

/* Only what the table asks for: @attr is checked if the line has it. */
static int differ_given(const struct dimg_tab_entry *e, int attr,
			const char *what, uint32_t table, uint32_t device)
{
	return is_given(e, attr) ? differ_number(what, table, device) : 0;
}

static int differ_flags(const struct dimg_tab_entry *e,
			const struct dimg_device *dev)
{
	static const struct {
		uint32_t flag;
		const char *option;
	} flags[] = {
		{ DIMGBLK_FLAG_READ_ONLY, "read-only" },
		{ DIMGBLK_FLAG_PARTITION_SCAN, "partscan" },
		{ DIMGBLK_FLAG_AUTO_DETACH, "auto-detach" },
		{ DIMGBLK_FLAG_FOLLOW, "follow" },
	};
	uint32_t other = e->attach.req.flags ^ dev->flags;
	size_t i;
	int n = 0;

	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		if (!(other & flags[i].flag))
			continue;
		dimg_say(NULL, "it is attached %s --%s, the table says %s",
			 dev->flags & flags[i].flag ? "with" : "without",
			 flags[i].option,
			 dev->flags & flags[i].flag ? "nothing of it" :
			 "it shall be");
		n++;
	}
	return n;
}

/* Where part= leads now: that is what was attached, or the table changed. */
static int differ_part(const struct dimg_tab_entry *e,
		       const struct dimg_device *dev)
{
	uint32_t sector_size = 0;
	struct dimg_image img;
	uint64_t offset, size;
	int ret;

	/* for a look only: a writable open would ask for the image itself */
	ret = dimg_image_open(e->attach.path, true, true, &img);
	if (ret)
		return 1;
	if (dimg_probe_sector_size(img.fd, 0, &sector_size))
		sector_size = 0;
	sector_size = dimg_attach_table_sector_size(&e->attach, &img,
						    sector_size);
	ret = dimg_partition_find(&img, sector_size, e->attach.part, &offset,
				  &size);
	dimg_image_close(&img);
	if (ret)
		return 1;
	return differ_number("its offset", offset, dev->offset) +
	       differ_number("its size limit", size, dev->size_limit);
}

static int differ_window(const struct dimg_tab_entry *e,
			 const struct dimg_device *dev)
{
	const struct dimg_request *req = &e->attach.req;

	if (e->attach.part)
		return differ_part(e, dev);
	return differ_number("its offset", req->offset, dev->offset) +
	       differ_number("its size limit", req->size_limit,
			     dev->size_limit);
}

/* dimg_tab_is_image - whether the device has the image that the line says. */
bool dimg_tab_is_image(const struct dimg_tab_entry *e,
		       const struct dimg_device *dev)
{
	struct stat st;

	/* an image that is gone is known by its path still */
	return dimg_device_is_on(dev, e->attach.path,
				 stat(e->attach.path, &st) ? NULL : &st);
}

/**
 * dimg_tab_diff - tell in what a device is not as the table wants it
 * @dev: the device that has the name of the entry
 *
 * Return: the number of differences, each of which has been printed.
 */
int dimg_tab_diff(const struct dimg_tab_entry *e, const struct dimg_device *dev)
{
	const struct dimg_request *req = &e->attach.req;
	int n;

	if (!dimg_tab_is_image(e, dev)) {
		dimg_say(NULL, "it has the image %s, the table says %s",
			 dev->backing_path ? dev->backing_path : "(unknown)",
			 e->attach.path);
		return 1;
	}
	n = differ_window(e, dev) + differ_flags(e, dev);
	n += differ_given(e, DIMGBLK_A_INDEX, "its index", req->index,
			  dev->index);
	n += differ_given(e, DIMGBLK_A_LOGICAL_BLOCK_SIZE,
			  "its logical block size", req->logical_block_size,
			  dev->logical_block_size);
	n += differ_given(e, DIMGBLK_A_NR_HW_QUEUES, "its number of queues",
			  req->nr_hw_queues, dev->nr_hw_queues);
	n += differ_given(e, DIMGBLK_A_QUEUE_DEPTH, "its queue depth",
			  req->queue_depth, dev->queue_depth);
	if (is_given(e, DIMGBLK_A_DIRECT) && req->direct != dev->direct) {
		dimg_say(NULL, "its direct I/O is %s, the table says %s",
			 dimg_direct_text(dev->direct),
			 dimg_direct_text(req->direct));
		n++;
	}
	return n;
}
