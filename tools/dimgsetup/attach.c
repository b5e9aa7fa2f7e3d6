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

enum { OPT_REUSE = 256, OPT_WITH };

static const struct option own_options[] = {
	{ "reuse", no_argument, NULL, OPT_REUSE },
	{ "with", no_argument, NULL, OPT_WITH },
	{ "json", no_argument, NULL, 'J' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* What only the command knows; how to attach is in struct dimg_attach. */
struct job {
	struct dimg_attach a;
	bool json;
	bool reuse;
	bool with;
	int n_before;		/* words before "--" that are no options */
	char **argv;
};

static int usage(void)
{
	fputs("Usage: dimgsetup attach [OPTION]... IMAGE\n"
	      "       dimgsetup attach [OPTION]... --with IMAGE -- COMMAND [ARG]...\n"
	      "Make a block device of a disk image (or of a block device) and print its node.\n\n",
	      stdout);
	dimg_attach_usage(stdout);
	fputs("      --reuse            print the device that has the image already, if it is as\n"
	      "                         asked for; attach the image if there is none\n"
	      "      --with             run COMMAND while the image is attached, then detach it;\n"
	      "                         $DIMG_DEVICE, and each {} in an ARG, is the node; exit\n"
	      "                         with the status of COMMAND\n"
	      "  -J, --json             print what is in effect as JSON, as \"list\" does\n"
	      "  -v, --verbose          say on stderr what was chosen, and why\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "N may have a unit where it counts bytes: 1M = 1MiB = 1048576, 1MB = 1000000.\n",
	      stdout);
	return DIMG_EXIT_OK;
}

/* What is left of the command line is one image; -1 to go on, else the exit code. */
static int take_image(int argc, char **argv, struct job *job)
{
	uint32_t mode;

	if (optind == argc)
		return dimg_usage_error("which IMAGE?");
	/* "--direct-io on FILE" reads as two images: say what was meant */
	if (optind + 1 < argc && !dimg_parse_direct(argv[optind], &mode))
		return dimg_usage_error("one IMAGE at a time; write --direct-io=%s with \"=\"",
					argv[optind]);
	job->a.path = argv[optind];
	job->argv = argv + optind + 1;
	if (optind + 1 < argc && !job->with)
		return dimg_usage_error("one IMAGE at a time; \"%s\" is too much",
					argv[optind + 1]);
	return -1;
}

/* The options of --with; -1 to go on, else the exit code. */
static int check_with(const struct job *job)
{
	if (!*job->argv)
		return dimg_usage_error("--with: which COMMAND? --with IMAGE -- COMMAND [ARG]...");
	/* without "--" the command's options would have been taken for ours */
	if (strcmp(job->argv[-2], "--"))
		return dimg_usage_error("--with: write \"--\" before the COMMAND");
	if (job->json || job->reuse)
		return dimg_usage_error("--with does not go together with --%s",
					job->json ? "json" : "reuse");
	if (job->n_before != 1)
		return dimg_usage_error("--with: one IMAGE before \"--\", the COMMAND after it");
	if (job->a.req.flags & DIMGBLK_FLAG_AUTO_DETACH)
		return dimg_usage_error("--with detaches when COMMAND ends; leave out --auto-detach");
	return -1;
}

/* An option of this command alone; false if it is none. */
static bool take_own(int opt, struct job *job)
{
	switch (opt) {
	case 'J':
		job->json = true;
		return true;
	case OPT_REUSE:
		job->reuse = true;
		return true;
	case OPT_WITH:
		job->with = true;
		job->a.req.flags |= DIMGBLK_FLAG_SOCKET_OWNER;
		return true;
	default:
		return false;
	}
}

/* Where "--" stands; getopt_long() moves the words before it behind it. */
static int find_dashes(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && strcmp(argv[i], "--"); i++)
		;
	return i;
}

/* All options; -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct job *job)
{
	struct option options[DIMG_LONGOPTS];
	int dashes = find_dashes(argc, argv);
	int opt, ret;

	dimg_attach_longopts(own_options, options);
	while ((opt = getopt_long(argc, argv, DIMG_ATTACH_LETTERS "JvhV",
				  options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		if (take_own(opt, job))
			continue;
		ret = dimg_attach_getopt(&job->a, opt, optarg);
		if (ret == -2)
			ret = dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	/* of argc - optind words, argc - dashes - 1 stood behind it */
	job->n_before = dashes + 1 - optind;
	ret = take_image(argc, argv, job);
	return ret < 0 && job->with ? check_with(job) : ret;
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
	dimg_table_columns(&t, DIMG_COLUMNS_ALL);
	ret = dimg_table_print(&t, &devs);
	dimg_devices_free(&devs);
	return ret;
}

/* The way of all but --reuse. */
static int attach(struct dimg_nl **nlp, struct dimg_attach *a,
		  struct dimg_device *dev)
{
	int ret = dimg_attach_open(a);

	if (!ret)
		ret = dimg_connect(nlp);
	return ret ? ret : dimg_attach_run(*nlp, a, dev);
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
	struct job job = { .json = false };
	struct dimg_nl *nl = NULL;
	struct dimg_device dev;
	int ret;

	dimg_attach_init(&job.a);
	ret = parse(argc, argv, &job);
	if (ret >= 0)
		return ret;
	ret = job.reuse ? dimg_reuse(&nl, &job.a, &dev) :
		attach(&nl, &job.a, &dev);
	/* before the command runs: the device alone shall hold the image */
	dimg_attach_close(&job.a);
	if (!ret) {
		ret = job.with ? dimg_with(nl, &dev, job.argv) :
			print_device(&dev, job.json);
		dimg_device_free(&dev);
	}
	if (nl)
		dimg_nl_close(nl);
	return ret;
}
