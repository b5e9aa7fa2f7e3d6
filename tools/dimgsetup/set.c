// SPDX-License-Identifier: GPL-2.0
/*
 * set.c - the command "set": change a setting of a device while it is in use.
 *
 * One setting so far. Each is sent in a request of its own, so that a refusal
 * has one cause.
 */
#include <getopt.h>

#include "dimgsetup.h"

enum { OPT_DIRECT_IO = 256 };

static const struct option options[] = {
	{ "direct-io", optional_argument, NULL, OPT_DIRECT_IO },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup set [OPTION]... DEV|IMAGE|NAME\n"
	      "Change a setting of a device; it may be in use.\n\n"
	      "      --direct-io[=on|off|auto]\n"
	      "                 go past the page cache of the image: \"on\" (also without a\n"
	      "                 value) refuses if that cannot be had, \"auto\" takes it where it\n"
	      "                 can be had\n"
	      "  -v, --verbose  say on stderr what is in effect, and why\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

static int take_direct(uint32_t *direct)
{
	if (!dimg_parse_direct(optarg, direct))
		return -1;
	return dimg_usage_error("--direct-io takes on, off or auto, not \"%s\"",
				optarg);
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, uint32_t *direct)
{
	bool given = false;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		given |= opt == OPT_DIRECT_IO;
		ret = opt == OPT_DIRECT_IO ? take_direct(direct) :
			dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	if (!given)
		return dimg_usage_error("set what? --direct-io=on, off or auto");
	if (optind + 1 != argc)
		return dimg_usage_error("give one device, image or name, and values after \"=\"");
	return -1;
}

/* Send the change; with --verbose tell what came of it. */
static int set_direct(struct dimg_nl *nl, const char *arg,
		      const struct dimg_device *dev, uint32_t direct)
{
	struct dimg_device reply;
	struct dimg_error e;

	if (dimg_nl_set_direct(nl, dev, direct, &reply, &e))
		return dimg_fail(arg, &e);
	dimg_note(arg, "direct I/O is %s%s%s",
		  reply.direct_in_use ? "on" : "off",
		  reply.direct_reason ? ": " : "",
		  reply.direct_reason ? reply.direct_reason : "");
	dimg_device_free(&reply);
	return DIMG_EXIT_OK;
}

/**
 * dimg_cmd_set - run "dimgsetup set"
 *
 * A refused change leaves the old setting in effect.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_set(int argc, char **argv)
{
	struct dimg_device dev;
	struct dimg_nl *nl;
	uint32_t direct;
	int ret;

	ret = parse(argc, argv, &direct);
	if (ret >= 0)
		return ret;
	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	ret = dimg_resolve_one(nl, argv[optind], &dev);
	if (!ret) {
		ret = set_direct(nl, argv[optind], &dev, direct);
		dimg_device_free(&dev);
	}
	dimg_nl_close(nl);
	return ret;
}
