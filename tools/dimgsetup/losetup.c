// SPDX-License-Identifier: GPL-2.0
/*
 * losetup.c - owns the program dimg-losetup: the options of losetup(8), for
 * fingers and scripts that know them. A link to dimgsetup; argv[0] decides.
 *
 * Each option does what losetup does, with its output and its exit status, 0 or
 * 1. Where that would cost data it does not: a device in use is not detached, an
 * image is not attached twice for writing. dimgsetup.8 lists the differences.
 */
#include <getopt.h>
#include <stdlib.h>

#include "losetup.h"

/* The columns of losetup, in its order. */
#define DEFAULT_COLUMNS	"NAME,SIZELIMIT,OFFSET,AUTOCLEAR,RO,BACK-FILE,DIO,LOG-SEC"
#define ALL_COLUMNS	DEFAULT_COLUMNS ",BACK-INO,BACK-MAJ:MIN,MAJ:MIN,PARTSCAN,REF"

enum {
	OPT_SIZELIMIT = 256,
	OPT_SHOW,
	OPT_DIO,
	OPT_RAW,
	OPT_OUTPUT_ALL,
	OPT_REF,
};

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "detach", required_argument, NULL, 'd' },
	{ "detach-all", no_argument, NULL, 'D' },
	{ "find", no_argument, NULL, 'f' },
	{ "set-capacity", required_argument, NULL, 'c' },
	{ "associated", required_argument, NULL, 'j' },
	{ "nooverlap", no_argument, NULL, 'L' },
	{ "remove", required_argument, NULL, 'R' },
	{ "offset", required_argument, NULL, 'o' },
	{ "sizelimit", required_argument, NULL, OPT_SIZELIMIT },
	{ "sector-size", required_argument, NULL, 'b' },
	{ "partscan", no_argument, NULL, 'P' },
	{ "read-only", no_argument, NULL, 'r' },
	{ "direct-io", optional_argument, NULL, OPT_DIO },
	{ "loop-ref", required_argument, NULL, OPT_REF },
	{ "show", no_argument, NULL, OPT_SHOW },
	{ "json", no_argument, NULL, 'J' },
	{ "list", no_argument, NULL, 'l' },
	{ "noheadings", no_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'O' },
	{ "output-all", no_argument, NULL, OPT_OUTPUT_ALL },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimg-losetup [OPTION]... [DEV]\n"
	      "       dimg-losetup [OPTION]... -f | DEV FILE\n"
	      "losetup(8) for dimgblk devices; dimgsetup(8) can do more.\n\n"
	      "  -a, --all              list all devices, one line each\n"
	      "  -d, --detach DEV...    detach devices; one in use stays, and its users are named\n"
	      "  -D, --detach-all       detach all devices\n"
	      "  -f, --find             print the first unused device, or use it for FILE\n"
	      "  -c, --set-capacity DEV\n"
	      "                         let the device follow the size of its file\n"
	      "  -j, --associated FILE  list the devices of FILE\n"
	      "  -L, --nooverlap        use the device that FILE has already, if it has one\n"
	      "      --remove DEV       nothing: a device that is detached is removed\n"
	      "  -o, --offset N         first byte of FILE to use\n"
	      "      --sizelimit N      bytes to use at most\n"
	      "  -b, --sector-size N    logical block size; the default is that of FILE's GPT\n"
	      "  -P, --partscan         scan the partition table\n"
	      "  -r, --read-only        refuse writes\n"
	      "      --direct-io[=on|off]\n"
	      "                         go past the page cache of FILE; also of an attached DEV\n"
	      "      --loop-ref NAME    name of the device\n"
	      "      --show             print the device after setup\n"
	      "  -J, --json             list as JSON\n"
	      "  -l, --list             list as a table, the default\n"
	      "  -n, --noheadings       no headings in the table\n"
	      "  -O, --output COLS      print these columns, as \"dimgsetup list --help\" names them\n"
	      "      --output-all       print all columns of losetup\n"
	      "      --raw              columns with one blank between\n"
	      "  -v, --verbose          say more on stderr\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "Exit status: 0 ok, 1 failure.\n", stdout);
	return DIMG_EXIT_OK;
}

/* One action only. */
static int set_act(struct dimg_losetup *job, int act, const char *arg)
{
	if (job->act && job->act != act)
		return dimg_usage_error("one of -a, -d, -D, -f, -c, -j and --remove");
	job->act = act;
	job->arg = arg;
	return -1;
}

static int set_output(struct dimg_losetup *job, int opt)
{
	job->list = true;
	switch (opt) {
	case 'J':
		job->t.json = true;
		return -1;
	case OPT_RAW:
		job->t.raw = true;
		return -1;
	case 'n':
		job->t.no_headings = true;
		return -1;
	case OPT_OUTPUT_ALL:
		dimg_table_parse_columns(&job->t, ALL_COLUMNS);
		return -1;
	case 'O':
		return dimg_table_parse_columns(&job->t, optarg) ? : -1;
	default:
		return -1;
	}
}

/* Options of a new device, by the name that dimgsetup has for them. */
static int set_option(struct dimg_losetup *job, int opt)
{
	static const struct {
		int opt;
		const char *name;
	} names[] = {
		{ 'o', "offset" }, { OPT_SIZELIMIT, "sizelimit" },
		{ 'b', "sector-size" }, { 'P', "partscan" },
		{ 'r', "read-only" }, { OPT_DIO, "direct-io" },
		{ OPT_REF, "name" },
	};
	size_t i;

	job->offset |= opt == 'o';
	job->block_size |= opt == 'b';
	job->dio |= opt == OPT_DIO;
	job->setup |= opt != 'o' && opt != 'b' && opt != OPT_DIO;
	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].opt == opt)
			return dimg_attach_option(&job->a, names[i].name, optarg);
	return dimg_getopt_common(opt);
}

/* -1 to go on, else the exit code. */
static int parse_one(int opt, struct dimg_losetup *job)
{
	switch (opt) {
	case 'a':
	case 'D':
	case 'f':
	case 'd':
	case 'c':
	case 'j':
	case 'R':
		return set_act(job, opt, optarg);
	case 'L':
		job->nooverlap = true;
		return -1;
	case OPT_SHOW:
		job->show = true;
		job->setup = true;
		return -1;
	case 'J':
	case 'l':
	case 'n':
	case 'O':
	case OPT_RAW:
	case OPT_OUTPUT_ALL:
		return set_output(job, opt);
	case 'h':
		return usage();
	default:
		return set_option(job, opt);
	}
}

static int parse(int argc, char **argv, struct dimg_losetup *job)
{
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "ab:c:d:Dfhj:JlLno:O:PrvV",
				  options, NULL)) != -1) {
		ret = parse_one(opt, job);
		if (ret >= 0)
			return ret;
	}
	job->rest = argv + optind;
	job->n_rest = argc - optind;
	if (job->t.json && job->t.raw)
		return dimg_usage_error("--json and --raw exclude each other");
	return -1;
}

/* Does the command line make a new device? Then say of what, and which. */
static int want_create(struct dimg_losetup *job, bool *wanted)
{
	int n = job->n_rest;

	*wanted = job->act == 'f' ? n > 0 : !job->act && n > 1;
	if (!*wanted)
		return -1;
	if (n > (job->act ? 1 : 2))
		return dimg_usage_error("\"%s\" is too much", job->rest[n - 1]);
	if (job->list)
		return dimg_usage_error("nothing is listed at the setup of a device");
	job->a.path = job->rest[n - 1];
	return job->act ? -1 :
		dimg_attach_option(&job->a, "device", job->rest[0]);
}

/* Options that the action does not know; -1 to go on. */
static int check(const struct dimg_losetup *job)
{
	if (job->setup || (job->nooverlap && job->act != 'f'))
		return dimg_usage_error("--sizelimit, --partscan, --read-only, --loop-ref, --nooverlap and --show are for the setup of a device only");
	if (job->offset && job->act != 'j')
		return dimg_usage_error("--offset is not for this");
	if (job->block_size) {
		dimg_say(NULL, "the block size of an attached device cannot be changed\n"
			 "Detach it, then \"dimgsetup attach -b SIZE FILE\".");
		return DIMG_EXIT_REFUSED;
	}
	if (job->dio && (job->act || job->n_rest != 1))
		return dimg_usage_error("--direct-io: which DEV?");
	return -1;
}

/**
 * dimg_losetup - the program dimg-losetup
 *
 * Return: losetup's exit status, 0 or 1.
 */
int dimg_losetup(int argc, char **argv)
{
	struct dimg_losetup job = { .t = { .bytes = true, .json_key = "loopdevices" } };
	char program[] = "dimg-losetup";
	bool wanted = false;
	int ret;

	dimg_program = program;
	argv[0] = program;
	dimg_attach_init(&job.a);
	dimg_table_parse_columns(&job.t, DEFAULT_COLUMNS);
	job.list = argc == 1;
	ret = parse(argc, argv, &job);
	if (ret < 0)
		ret = want_create(&job, &wanted);
	if (ret < 0 && wanted)
		ret = dimg_losetup_create(&job);
	else if (ret < 0)
		ret = check(&job);
	if (ret < 0)
		ret = dimg_losetup_act(&job);
	dimg_program = "dimgsetup";
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
