// SPDX-License-Identifier: GPL-2.0
/*
 * resize.c - the command "resize": let a device follow the size of its image.
 *
 * The kernel measures the image and decides; the tool asks first whether the
 * device would shrink, since that cuts off what lies at its end.
 */
#include <getopt.h>

#include "dimgsetup.h"

enum { OPT_SHRINK = 256 };

static const struct option options[] = {
	{ "shrink", no_argument, NULL, OPT_SHRINK },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup resize [OPTION]... DEV|IMAGE|NAME\n"
	      "Take the size of a device anew from its image, which has been made larger or\n"
	      "smaller (truncate -s). Offset and size limit stay. Prints old and new size.\n\n"
	      "      --shrink   allow the device to become smaller: first shrink what is on\n"
	      "                 it, or the data at its end is lost\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, bool *shrink)
{
	int opt, ret;

	*shrink = false;
	while ((opt = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		if (opt == OPT_SHRINK) {
			*shrink = true;
			continue;
		}
		ret = dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	if (optind + 1 != argc)
		return dimg_usage_error("give one device, image or name");
	return -1;
}

/* Bytes that the device would have with an image of @image_bytes. */
static uint64_t future_size(const struct dimg_device *dev, uint64_t image_bytes)
{
	uint64_t bytes;

	bytes = image_bytes > dev->offset ? image_bytes - dev->offset : 0;
	if (dev->size_limit && dev->size_limit < bytes)
		bytes = dev->size_limit;
	return dev->logical_block_size ?
		bytes - bytes % dev->logical_block_size : bytes;
}

/* Refuse what would shrink the device, or might. */
static int check_shrink(const char *arg, const struct dimg_device *dev)
{
	uint64_t now = dev->capacity * DIMG_SECTOR_SIZE, image_bytes, then;

	/* a device that is being removed has no file: the kernel says so */
	if (dev->state != DIMGBLK_STATE_LIVE)
		return 0;
	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_PATH)) {
		dimg_say(arg, "only root may resize a device\nRun it as root (sudo).");
		return DIMG_EXIT_PERMISSION;
	}
	if (dimg_image_size(dev, &image_bytes)) {
		/* as the subject: a path may hold terminal controls */
		dimg_say(dev->backing_path,
			 "the image is not to be found under this path, so nobody knows whether /dev/"
			 DIMG_NODE_PREFIX "%u would shrink\n"
			 "Say --shrink to take the size of the image whatever it is.",
			 dev->index);
		return DIMG_EXIT_REFUSED;
	}
	then = future_size(dev, image_bytes);
	/* none left at all: the kernel refuses that and says why */
	if (!then || then >= now)
		return 0;
	dimg_say(arg, "the device would shrink from %llu to %llu bytes\n"
		 "Shrink what is on it first (resize2fs, sfdisk), then say --shrink; or make the image larger again.",
		 (unsigned long long)now, (unsigned long long)then);
	return DIMG_EXIT_REFUSED;
}

/* The kernel measures again, and its reply is what gets printed. */
static int resize(struct dimg_nl *nl, const char *arg,
		  const struct dimg_device *dev)
{
	struct dimg_device reply;
	struct dimg_error e;

	if (dimg_nl_resize(nl, dev, &reply, &e))
		return dimg_fail(arg, &e);
	printf("/dev/" DIMG_NODE_PREFIX "%u: %llu -> %llu bytes\n", dev->index,
	       (unsigned long long)dev->capacity * DIMG_SECTOR_SIZE,
	       (unsigned long long)reply.capacity * DIMG_SECTOR_SIZE);
	dimg_device_free(&reply);
	return DIMG_EXIT_OK;
}

/**
 * dimg_cmd_resize - run "dimgsetup resize"
 *
 * Only the device changes, not the partition table or file system on it.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_resize(int argc, char **argv)
{
	struct dimg_device dev;
	struct dimg_nl *nl;
	bool shrink;
	int ret;

	ret = parse(argc, argv, &shrink);
	if (ret >= 0)
		return ret;
	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	ret = dimg_resolve_one(nl, argv[optind], &dev);
	if (!ret) {
		ret = shrink ? 0 : check_shrink(argv[optind], &dev);
		if (!ret)
			ret = resize(nl, argv[optind], &dev);
		dimg_device_free(&dev);
	}
	dimg_nl_close(nl);
	return ret;
}
