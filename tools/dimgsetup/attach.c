// SPDX-License-Identifier: GPL-2.0
/*
 * attach.c - the command "attach": make a block device of an image.
 *
 * Reads the options, opens the image (image.c), asks the kernel (nl.c), waits
 * for udev (settle.c) and prints the node. What is printed and warned about
 * comes from the kernel's reply, never from what was asked for.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "dimgsetup.h"

enum {
	OPT_SIZELIMIT = 256,
	OPT_DIRECT_IO,
	OPT_INDEX,
	OPT_NAME,
	OPT_AUTO_DETACH,
	OPT_ALLOW_OVERLAP,
	OPT_QUEUES,
	OPT_QUEUE_DEPTH,
};

static const struct option options[] = {
	{ "offset", required_argument, NULL, 'o' },
	{ "sizelimit", required_argument, NULL, OPT_SIZELIMIT },
	{ "read-only", no_argument, NULL, 'r' },
	{ "sector-size", required_argument, NULL, 'b' },
	{ "logical-block-size", required_argument, NULL, 'b' },
	{ "direct-io", optional_argument, NULL, OPT_DIRECT_IO },
	{ "partscan", no_argument, NULL, 'P' },
	{ "index", required_argument, NULL, OPT_INDEX },
	{ "device", required_argument, NULL, 'd' },
	{ "name", required_argument, NULL, OPT_NAME },
	{ "auto-detach", no_argument, NULL, OPT_AUTO_DETACH },
	{ "autoclear", no_argument, NULL, OPT_AUTO_DETACH },
	{ "allow-overlap", no_argument, NULL, OPT_ALLOW_OVERLAP },
	{ "queues", required_argument, NULL, OPT_QUEUES },
	{ "queue-depth", required_argument, NULL, OPT_QUEUE_DEPTH },
	{ "json", no_argument, NULL, 'J' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup attach [OPTION]... IMAGE\n"
	      "Make a block device of a disk image (or of a block device) and print its node.\n\n"
	      "  -o, --offset N         first byte of the image to use\n"
	      "      --sizelimit N      bytes to use at most; 0 is to the end of the image\n"
	      "  -r, --read-only        refuse writes; the image is opened for reading only\n"
	      "  -b, --sector-size N    logical block size: 512, 1024, 2048 or 4096 bytes\n"
	      "                         (also --logical-block-size)\n"
	      "      --direct-io[=on|off|auto]\n"
	      "                         go past the page cache of the image; \"on\" (also without\n"
	      "                         a value) refuses if that cannot be had, \"auto\", the\n"
	      "                         default, takes it where it can be had\n"
	      "  -P, --partscan         scan the partition table\n"
	      "      --index N          become /dev/dimgblkN\n"
	      "  -d, --device DEV       the same, as a node: -d /dev/dimgblk7\n"
	      "      --name NAME        name for the other commands: letters, digits, _ . : + -\n"
	      "      --auto-detach      detach at the last close after the first exclusive\n"
	      "                         open, such as a mount (also --autoclear)\n"
	      "      --allow-overlap    attach although bytes are attached already, writable\n"
	      "      --queues N         hardware queues, 1 to the number of CPUs\n"
	      "      --queue-depth N    requests in flight at most, 1 to 4096\n"
	      "  -J, --json             print what is in effect as JSON, as \"list\" does\n"
	      "  -v, --verbose          say on stderr what was chosen, and why\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "N may have a unit where it counts bytes: 1M = 1MiB = 1048576, 1MB = 1000000.\n",
	      stdout);
	return DIMG_EXIT_OK;
}

/* A number that cannot be read is wrong usage: the kernel never sees it. */
static int bad_number(const char *option, const char *s, int err)
{
	if (err == -ERANGE)
		return dimg_usage_error("%s: the number \"%s\" is too large",
					option, s);
	return dimg_usage_error("%s: \"%s\" is no number with a known unit, such as 4096 or 10M",
				option, s);
}

/* Mark an attribute as chosen; what is not chosen is not sent. */
static void give(struct dimg_request *req, int attr)
{
	req->given |= UINT64_C(1) << attr;
}

/*
 * The take_* functions read the value of the option that getopt_long() is at.
 * -1 to go on, else the exit code. Ranges are the kernel's to check: it knows
 * the machine and the image, and says what the limit is.
 */
static int take_size(struct dimg_request *req, int attr, const char *option,
		     uint64_t *val)
{
	int ret = dimg_parse_size(optarg, val);

	give(req, attr);
	return ret ? bad_number(option, optarg, ret) : -1;
}

static int take_u32(struct dimg_request *req, int attr, const char *option,
		    uint32_t *val)
{
	int ret = dimg_parse_u32(optarg, val);

	give(req, attr);
	return ret ? bad_number(option, optarg, ret) : -1;
}

/* -b takes a unit too (-b 4K), but travels as 32 bits. */
static int take_block_size(struct dimg_request *req)
{
	uint64_t bytes = 0;
	int ret;

	ret = take_size(req, DIMGBLK_A_LOGICAL_BLOCK_SIZE, "--sector-size",
			&bytes);
	if (ret < 0 && bytes > UINT32_MAX)
		ret = bad_number("--sector-size", optarg, -ERANGE);
	req->logical_block_size = bytes;
	return ret;
}

/* A node instead of a number, as fingers know it from losetup. */
static int take_device(struct dimg_request *req)
{
	bool partition;

	give(req, DIMGBLK_A_INDEX);
	if (!dimg_parse_node(optarg, &req->index, &partition) && !partition)
		return -1;
	return dimg_usage_error("--device: \"%s\" is no node of a disk, such as /dev/dimgblk7",
				optarg);
}

static int take_direct(struct dimg_request *req)
{
	give(req, DIMGBLK_A_DIRECT);
	if (!dimg_parse_direct(optarg, &req->direct))
		return -1;
	return dimg_usage_error("--direct-io takes on, off or auto, not \"%s\"",
				optarg);
}

/* Options with a value; -1 to go on, else the exit code. */
static int parse_value(int opt, struct dimg_request *req)
{
	switch (opt) {
	case 'o':
		return take_size(req, DIMGBLK_A_OFFSET, "--offset",
				 &req->offset);
	case OPT_SIZELIMIT:
		return take_size(req, DIMGBLK_A_SIZE_LIMIT, "--sizelimit",
				 &req->size_limit);
	case 'b':
		return take_block_size(req);
	case OPT_DIRECT_IO:
		return take_direct(req);
	case OPT_INDEX:
		return take_u32(req, DIMGBLK_A_INDEX, "--index", &req->index);
	case 'd':
		return take_device(req);
	case OPT_NAME:
		/* the kernel takes an empty name for none: not what was meant */
		req->name = optarg;
		return *optarg ? -1 : dimg_usage_error("--name: the name is empty");
	case OPT_QUEUES:
		return take_u32(req, DIMGBLK_A_NR_HW_QUEUES, "--queues",
				&req->nr_hw_queues);
	case OPT_QUEUE_DEPTH:
		return take_u32(req, DIMGBLK_A_QUEUE_DEPTH, "--queue-depth",
				&req->queue_depth);
	default:
		return dimg_getopt_common(opt);
	}
}

/* All options; -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct dimg_request *req, bool *json)
{
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "o:rb:Pd:JvhV", options,
				  NULL)) != -1) {
		switch (opt) {
		case 'h':
			return usage();
		case 'J':
			*json = true;
			continue;
		case 'r':
			req->flags |= DIMGBLK_FLAG_READ_ONLY;
			continue;
		case 'P':
			req->flags |= DIMGBLK_FLAG_PARTITION_SCAN;
			continue;
		case OPT_AUTO_DETACH:
			req->flags |= DIMGBLK_FLAG_AUTO_DETACH;
			continue;
		case OPT_ALLOW_OVERLAP:
			req->flags |= DIMGBLK_FLAG_ALLOW_OVERLAP;
			continue;
		}
		ret = parse_value(opt, req);
		if (ret >= 0)
			return ret;
	}
	if (optind == argc)
		return dimg_usage_error("which IMAGE?");
	/* "--direct-io on FILE" reads as two images: say what was meant */
	if (optind + 1 < argc && !dimg_parse_direct(argv[optind], &req->direct))
		return dimg_usage_error("one IMAGE at a time; write --direct-io=%s with \"=\"",
					argv[optind]);
	if (optind + 1 < argc)
		return dimg_usage_error("one IMAGE at a time; \"%s\" is too much",
					argv[optind + 1]);
	return -1;
}

/* Point out bytes of the image that the device does not have. */
static void warn_size(const struct dimg_image *img,
		      const struct dimg_device *dev)
{
	uint64_t size = dev->capacity * DIMG_SECTOR_SIZE;
	uint64_t rest = img->size > dev->offset ? img->size - dev->offset : 0;

	if (dev->size_limit && dev->size_limit <= rest)
		rest = dev->size_limit;
	else if (dev->size_limit > rest)
		dimg_say(img->path,
			 "warning: --sizelimit %llu is more than the image has; the device has %llu bytes",
			 (unsigned long long)dev->size_limit,
			 (unsigned long long)size);
	if (rest > size)
		dimg_say(img->path,
			 "warning: the last %llu bytes are not part of the device: the size is no multiple of the logical block size, %u",
			 (unsigned long long)(rest - size),
			 dev->logical_block_size);
}

/* The node for scripts, or everything that is in effect. */
static int print_device(const struct dimg_device *dev, bool json)
{
	struct dimg_devices devs = { 0 };
	struct dimg_table t = { .json = true };
	int ret;

	if (!json) {
		printf("/dev/" DIMG_NODE_PREFIX "%u\n", dev->index);
		return DIMG_EXIT_OK;
	}
	if (dimg_devices_copy(&devs, dev))
		return DIMG_EXIT_KERNEL;
	dimg_table_all_columns(&t);
	ret = dimg_table_print(&t, &devs);
	dimg_devices_free(&devs);
	return ret;
}

/* Ask the kernel, then make the device known. */
static int attach(struct dimg_nl *nl, const struct dimg_image *img,
		  const struct dimg_request *req, bool json)
{
	/* udev may be done with the device before the reply is here */
	uint64_t start_us = dimg_now_us();
	struct dimg_device dev;
	struct dimg_error e;
	int ret;

	if (dimg_nl_attach(nl, req, &dev, &e))
		return dimg_fail(img->path, &e);
	warn_size(img, &dev);
	dimg_note(img->path, "direct I/O is %s%s%s",
		  dev.direct_in_use ? "on" : "off",
		  dev.direct_reason ? ": " : "",
		  dev.direct_reason ? dev.direct_reason : "");
	ret = dimg_settle(&dev, start_us);
	if (ret)
		dimg_note(img->path, "did not wait for udev: %s",
			  strerror(-ret));
	ret = print_device(&dev, json);
	dimg_device_free(&dev);
	return ret;
}

/**
 * dimg_cmd_attach - run "dimgsetup attach"
 *
 * The image is opened before the module is loaded: a typing error in the path
 * must not change the machine.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_attach(int argc, char **argv)
{
	struct dimg_request req = { 0 };
	struct dimg_image img;
	struct dimg_nl *nl;
	bool json = false;
	int ret;

	ret = parse(argc, argv, &req, &json);
	if (ret >= 0)
		return ret;
	give(&req, DIMGBLK_A_FLAGS);
	ret = dimg_image_open(argv[optind], req.flags & DIMGBLK_FLAG_READ_ONLY,
			      req.flags & DIMGBLK_FLAG_ALLOW_OVERLAP, &img);
	if (ret)
		return ret;
	req.backing_fd = img.fd;
	ret = dimg_connect(&nl);
	if (!ret) {
		ret = attach(nl, &img, &req, json);
		dimg_nl_close(nl);
	}
	dimg_image_close(&img);
	return ret;
}
