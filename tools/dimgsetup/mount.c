// SPDX-License-Identifier: GPL-2.0
/*
 * mount.c - the command "mount": an image on a directory, in one step.
 *
 * Reads the command line; the work is done by mounting.c, as for mount.dimg.
 * The options of attach are those of attach, but "-o" is mount(8)'s.
 */
#include <getopt.h>
#include <string.h>

#include "dimgsetup.h"

static const struct option own_options[] = {
	{ "options", required_argument, NULL, 'o' },
	{ "types", required_argument, NULL, 't' },
	{ "offset", required_argument, NULL, 'O' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup mount [OPTION]... IMAGE|DEV|NAME DIR\n"
	      "Mount the file system of a disk image; umount releases the image, too.\n"
	      "An image that is attached already is mounted from its device.\n\n"
	      "  -o, --options LIST     options as for mount(8), such as noatime,discard; those\n"
	      "                         below also as dimg.NAME=VALUE\n"
	      "  -t, --types TYPE       type of the file system, instead of the one found\n"
	      "  -r, --read-only        attach and mount read-only (also --ro)\n"
	      "      --part PART        mount one partition of the image: its number, name,\n"
	      "                         PARTUUID, or its file system's label or UUID\n"
	      "      --offset N         first byte of the image to use\n"
	      "      --sizelimit N      bytes to use at most; 0 is to the end of the image\n"
	      "  -v, --verbose          say on stderr what was chosen, and why\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "Options of attach, for an image that is not attached: -b, --sector-size,\n"
	      "--direct-io, --follow, --name, --index, --allow-overlap, --queues,\n"
	      "--queue-depth and so on; see \"dimgsetup attach --help\".\n\n"
	      "In /etc/fstab, and with \"mount -t dimg\", the same is written as\n"
	      "  /srv/disk.img  /mnt/disk  dimg  noauto,dimg.part=1  0 0\n",
	      stdout);
	return DIMG_EXIT_OK;
}

/**
 * dimg_mount_type - the type of file system that the user asks for
 * @m: set; NULL for what is found
 *
 * Return: -1 to go on, else the exit code.
 */
int dimg_mount_type(struct dimg_mount *m, const char *type)
{
	if (!strncmp(type, "dimg.", 5))
		type += 5;
	m->type = strcmp(type, "auto") && strcmp(type, "dimg") ? type : NULL;
	if (!*type || strchr(type, ','))
		return dimg_usage_error("-t takes one type, such as ext4, not \"%s\"", type);
	return -1;
}

/* Options that are not attach's, and what is left of the line. */
static int take(struct dimg_mount *m, int opt)
{
	int ret;

	switch (opt) {
	case 'o':
		return dimg_mountopts_add(&m->opts, optarg, &m->attach);
	case 't':
		return dimg_mount_type(m, optarg);
	case 'O':
		return dimg_attach_option(&m->attach, "offset", optarg);
	default:
		ret = dimg_attach_getopt(&m->attach, opt, optarg);
		return ret == -2 ? dimg_getopt_common(opt) : ret;
	}
}

/* All options; -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct dimg_mount *m)
{
	struct option options[DIMG_LONGOPTS];
	int opt, ret;

	dimg_attach_longopts(own_options, options);
	while ((opt = getopt_long(argc, argv, "o:t:rb:Pd:vhV", options,
				  NULL)) != -1) {
		if (opt == 'h')
			return usage();
		ret = take(m, opt);
		if (ret >= 0)
			return ret;
	}
	if (m->opts.remount)
		return dimg_usage_error("it is mounted already: \"mount -o remount,... DIR\" changes options");
	if (optind + 2 < argc)
		return dimg_usage_error("one IMAGE and one DIR; \"%s\" is too much",
					argv[optind + 2]);
	if (optind + 2 > argc)
		return dimg_usage_error("which IMAGE, and on which DIR?");
	m->source = argv[optind];
	m->dir = argv[optind + 1];
	return -1;
}

/**
 * dimg_cmd_mount - run "dimgsetup mount"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_mount(int argc, char **argv)
{
	struct dimg_mount m = { 0 };
	int ret;

	dimg_attach_init(&m.attach);
	ret = parse(argc, argv, &m);
	if (ret < 0)
		ret = dimg_mount_run(&m);
	dimg_mountopts_free(&m.opts);
	return ret;
}
