// SPDX-License-Identifier: GPL-2.0
/*
 * attach.c - the command "attach": make a block device of an image and print
 * its node.
 *
 * What the options mean, and how one attaches, is attachment.c's: mount and
 * others attach too. What is printed comes from the kernel's reply, never from
 * what was asked for.
 */
#include <getopt.h>
#include <string.h>

#include "dimgsetup.h"

static const struct option own_options[] = {
	{ "json", no_argument, NULL, 'J' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup attach [OPTION]... IMAGE\n"
	      "Make a block device of a disk image (or of a block device) and print its node.\n\n",
	      stdout);
	dimg_attach_usage(stdout);
	fputs("  -J, --json             print what is in effect as JSON, as \"list\" does\n"
	      "  -v, --verbose          say on stderr what was chosen, and why\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "N may have a unit where it counts bytes: 1M = 1MiB = 1048576, 1MB = 1000000.\n",
	      stdout);
	return DIMG_EXIT_OK;
}

/* What is left of the command line is one image; -1 to go on, else the exit code. */
static int take_image(int argc, char **argv, struct dimg_attach *a)
{
	uint32_t mode;

	if (optind == argc)
		return dimg_usage_error("which IMAGE?");
	/* "--direct-io on FILE" reads as two images: say what was meant */
	if (optind + 1 < argc && !dimg_parse_direct(argv[optind], &mode))
		return dimg_usage_error("one IMAGE at a time; write --direct-io=%s with \"=\"",
					argv[optind]);
	if (optind + 1 < argc)
		return dimg_usage_error("one IMAGE at a time; \"%s\" is too much",
					argv[optind + 1]);
	a->path = argv[optind];
	return -1;
}

/* All options; -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct dimg_attach *a, bool *json)
{
	struct option options[DIMG_LONGOPTS];
	int opt, ret;

	dimg_attach_longopts(own_options, options);
	while ((opt = getopt_long(argc, argv, DIMG_ATTACH_LETTERS "JvhV",
				  options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		if (opt == 'J') {
			*json = true;
			continue;
		}
		ret = dimg_attach_getopt(a, opt, optarg);
		if (ret == -2)
			ret = dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	return take_image(argc, argv, a);
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

/* Ask the kernel, then tell. */
static int attach(struct dimg_nl *nl, struct dimg_attach *a, bool json)
{
	struct dimg_device dev;
	int ret;

	ret = dimg_attach_run(nl, a, &dev);
	if (ret)
		return ret;
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
	struct dimg_attach a;
	struct dimg_nl *nl;
	bool json = false;
	int ret;

	dimg_attach_init(&a);
	ret = parse(argc, argv, &a, &json);
	if (ret >= 0)
		return ret;
	ret = dimg_attach_open(&a);
	if (!ret)
		ret = dimg_connect(&nl);
	if (!ret) {
		ret = attach(nl, &a, json);
		dimg_nl_close(nl);
	}
	dimg_attach_close(&a);
	return ret;
}
