// SPDX-License-Identifier: GPL-2.0
/*
 * reuse.c - owns "attach --reuse": the device that holds the image already, if
 * it is what was asked for.
 *
 * Between the look and the attach another one may attach the image. Who says
 * --reuse too is kept out by a lock on the image (flock); against others there
 * is a second look after the kernel has refused.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>

#include "dimgsetup.h"

/* Settings that count only if they were asked for. */
static const struct setting {
	int attr;
	size_t asked;
	size_t has;
	const char *name;
} settings[] = {
#define ASKED(m)	offsetof(struct dimg_request, m)
#define HAS(m)		offsetof(struct dimg_device, m)
	{ DIMGBLK_A_INDEX, ASKED(index), HAS(index), "number" },
	{ DIMGBLK_A_LOGICAL_BLOCK_SIZE, ASKED(logical_block_size),
	  HAS(logical_block_size), "logical block size" },
	{ DIMGBLK_A_DIRECT, ASKED(direct), HAS(direct), "direct I/O mode" },
	{ DIMGBLK_A_NR_HW_QUEUES, ASKED(nr_hw_queues), HAS(nr_hw_queues),
	  "number of queues" },
	{ DIMGBLK_A_QUEUE_DEPTH, ASKED(queue_depth), HAS(queue_depth),
	  "queue depth" },
#undef HAS
#undef ASKED
};

/* Switches: some must not be there if they were not asked for. */
static const struct {
	uint32_t flag;
	bool both_ways;
	const char *name;
} flags[] = {
	{ DIMGBLK_FLAG_READ_ONLY, true, "read-only" },
	{ DIMGBLK_FLAG_AUTO_DETACH, true, "auto-detach" },
	{ DIMGBLK_FLAG_SOCKET_OWNER, true, "bound to a running command" },
	{ DIMGBLK_FLAG_PARTITION_SCAN, false, "partition scan" },
	{ DIMGBLK_FLAG_FOLLOW, false, "follow" },
};

/* Add to a list of words; what does not fit is left out. */
static void add_word(char *list, size_t len, const char *word)
{
	size_t n = strlen(list);

	snprintf(list + n, len - n, "%s%s", n ? ", " : "", word);
}

/**
 * dimg_reuse_differs - in which settings is a device not what was asked for?
 * @req: the window is in it, partition and sector size are resolved
 * @list: becomes their names with commas; empty if there are none
 */
void dimg_reuse_differs(const struct dimg_request *req,
			const struct dimg_device *dev, char *list, size_t len)
{
	uint32_t changed = req->flags ^ dev->flags;
	size_t i;

	*list = '\0';
	if (req->offset != dev->offset)
		add_word(list, len, "offset");
	if (req->size_limit != dev->size_limit)
		add_word(list, len, "size limit");
	for (i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (changed & flags[i].flag &&
		    (flags[i].both_ways || req->flags & flags[i].flag))
			add_word(list, len, flags[i].name);
	for (i = 0; i < sizeof(settings) / sizeof(*settings); i++)
		if (req->given & (UINT64_C(1) << settings[i].attr) &&
		    memcmp((const char *)req + settings[i].asked,
			   (const char *)dev + settings[i].has,
			   sizeof(uint32_t)))
			add_word(list, len, settings[i].name);
	if (req->name && (!dev->name || strcmp(req->name, dev->name)))
		add_word(list, len, "name");
}

/* Do the bytes asked for and those of the device overlap? */
static bool overlaps(const struct dimg_attach *look,
		     const struct dimg_device *dev)
{
	uint64_t limit = look->req.size_limit;
	uint64_t end = limit ? look->req.offset + limit : UINT64_MAX;
	uint64_t dev_end = dev->size_limit ? dev->offset + dev->size_limit :
		UINT64_MAX;

	return look->req.offset < dev_end && dev->offset < end;
}

static int fail_differs(const char *path, const struct dimg_device *dev,
			const char *list)
{
	dimg_say(path, "is attached as /dev/" DIMG_NODE_PREFIX "%u, which differs from what was asked for in: %s\n"
		 "Ask for what \"dimgsetup show /dev/" DIMG_NODE_PREFIX "%u\" tells, or detach it first.",
		 dev->index, list, dev->index);
	return DIMG_EXIT_REFUSED;
}

/* The one device, out of a list that goes away. */
static int keep(const char *path, const struct dimg_device *chosen,
		struct dimg_device *dev)
{
	struct dimg_devices copy = { 0 };
	struct dimg_error e;

	if (dimg_devices_copy(&copy, chosen)) {
		dimg_error_set(&e, ENOMEM, "%s", "");
		return dimg_fail(path, &e);
	}
	*dev = copy.v[0];
	copy.n = 0;
	dimg_devices_free(&copy);
	return 0;
}

/*
 * Choose among the devices of the image. -1 if none has these bytes, else the
 * exit code; if 0, @dev is the device.
 */
static int choose(const struct dimg_attach *look, const struct stat *st,
		  const struct dimg_devices *all, struct dimg_device *dev)
{
	const struct dimg_device *other = NULL;
	char list[256], differs[256] = "";
	size_t i;

	for (i = 0; i < all->n; i++) {
		/* one that is going cannot be handed out */
		if (all->v[i].state != DIMGBLK_STATE_LIVE ||
		    !dimg_device_is_on(&all->v[i], look->path, st) ||
		    !overlaps(look, &all->v[i]))
			continue;
		dimg_reuse_differs(&look->req, &all->v[i], list, sizeof(list));
		if (!*list)
			return keep(look->path, &all->v[i], dev);
		other = &all->v[i];
		memcpy(differs, list, sizeof(differs));
	}
	return other ? fail_differs(look->path, other, differs) : -1;
}

/* As choose(), of what is attached now. */
static int find(struct dimg_nl *nl, const struct dimg_attach *look,
		struct dimg_device *dev)
{
	struct dimg_devices all;
	struct dimg_error e;
	struct stat st;
	int ret;

	if (fstat(look->img.fd, &st)) {
		dimg_error_set(&e, errno, "%s", "");
		return dimg_fail(look->path, &e);
	}
	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(look->path, &e);
	ret = choose(look, &st, &all, dev);
	dimg_devices_free(&all);
	return ret;
}

/* Keep out others that look and attach; 0, or an exit code. */
static int guard(const struct dimg_image *img)
{
	int ret = dimg_flock(img->fd);

	if (ret == -EWOULDBLOCK) {
		dimg_say(img->path, "is locked (flock) by another program\n"
			 "\"lslocks\" shows which one; try again when it is done.");
		return DIMG_EXIT_BUSY;
	}
	/* NFS wants a writable descriptor; the second look remains */
	if (ret)
		dimg_note(img->path, "cannot be locked against others with --reuse: %s",
			  strerror(-ret));
	return 0;
}

/* Nobody has it: attach; if somebody was faster, look again. */
static int attach(struct dimg_nl *nl, struct dimg_attach *a,
		  const struct dimg_attach *look, struct dimg_device *dev)
{
	struct dimg_error e;
	int ret;

	ret = dimg_attach_open(a);
	if (ret)
		return ret;
	if (!dimg_attach_try(nl, a, dev, &e))
		return 0;
	if (e.err == EBUSY || e.err == EEXIST) {
		ret = find(nl, look, dev);
		if (ret >= 0)
			return ret;
	}
	return dimg_fail_attach(a->path, &e);
}

/**
 * dimg_reuse - the device that has the image already, or a new one
 * @nlp: set to a connection to the driver; may be NULL after a failure
 * @a: path and options are set, nothing is open; give it to dimg_attach_close()
 * @dev: set on success; give it to dimg_device_free()
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_reuse(struct dimg_nl **nlp, struct dimg_attach *a,
	       struct dimg_device *dev)
{
	struct dimg_attach look = *a;
	int ret;

	/* to look needs no claim, and must not be refused by locks */
	look.no_lock = true;
	look.req.flags |= DIMGBLK_FLAG_READ_ONLY | DIMGBLK_FLAG_ALLOW_OVERLAP;
	ret = dimg_attach_open(&look);
	look.req.flags = a->req.flags;
	if (!ret)
		ret = guard(&look.img);
	if (!ret)
		ret = dimg_connect(nlp);
	if (!ret) {
		ret = find(*nlp, &look, dev);
		if (ret < 0)
			ret = attach(*nlp, a, &look, dev);
	}
	dimg_attach_close(&look);
	return ret;
}
