// SPDX-License-Identifier: GPL-2.0
/*
 * list.c - the command "list": devices as a table, JSON or raw columns.
 *
 * What a column holds is table.c's; which devices an argument means is
 * resolve.c's.
 */
#include <errno.h>
#include <getopt.h>

#include "dimgsetup.h"

enum { OPT_RAW = 256, OPT_OUTPUT_ALL };

static const struct option options[] = {
	{ "json", no_argument, NULL, 'J' },
	{ "raw", no_argument, NULL, OPT_RAW },
	{ "noheadings", no_argument, NULL, 'n' },
	{ "output", required_argument, NULL, 'o' },
	{ "output-all", no_argument, NULL, OPT_OUTPUT_ALL },
	{ "usage", no_argument, NULL, 'u' },
	{ "bytes", no_argument, NULL, 'b' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* The columns come from table.c: one list for help and parsing. */
static int print_usage(void)
{
	fputs("Usage: dimgsetup list [OPTION]... [DEV|IMAGE|NAME]...\n"
	      "List attached devices, all or those given.\n\n"
	      "  -J, --json         print JSON; numbers and booleans are typed\n"
	      "      --raw          print columns with one blank between, sizes in bytes\n"
	      "  -n, --noheadings   print no headings\n"
	      "  -o, --output COLS  print these columns, with commas between; +COLS adds to\n"
	      "                     the default\n"
	      "      --output-all   print all columns\n"
	      "  -u, --usage        print how much the images take, and if they are still there\n"
	      "  -b, --bytes        print sizes in bytes\n"
	      "  -v, --verbose      say more on stderr\n"
	      "  -h, --help         this text\n"
	      "  -V, --version      print the version\n\n"
	      "Columns (* by default):\n", stdout);
	dimg_table_help(stdout);
	return DIMG_EXIT_OK;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct dimg_table *t)
{
	int opt, ret;

	dimg_table_columns(t, DIMG_COLUMNS_STD);
	while ((opt = getopt_long(argc, argv, "Jno:ubvhV", options, NULL)) != -1) {
		ret = 0;
		switch (opt) {
		case 'J':
			t->json = true;
			break;
		case OPT_RAW:
			t->raw = true;
			break;
		case 'n':
			t->no_headings = true;
			break;
		case 'o':
			ret = dimg_table_parse_columns(t, optarg);
			break;
		case OPT_OUTPUT_ALL:
			dimg_table_columns(t, DIMG_COLUMNS_ALL);
			break;
		case 'u':
			dimg_table_columns(t, DIMG_COLUMNS_USAGE);
			break;
		case 'b':
			t->bytes = true;
			break;
		case 'h':
			return print_usage();
		default:
			ret = dimg_getopt_common(opt);
			if (ret < 0)
				continue;
			return ret;
		}
		if (ret)
			return ret;
	}
	if (t->json && t->raw)
		return dimg_usage_error("--json and --raw exclude each other");
	return -1;
}

/* Add what each argument means; each one must mean something. */
static int select_devices(const struct dimg_devices *all, int argc, char **argv,
			  struct dimg_devices *chosen)
{
	int i, ret;

	for (i = 0; i < argc; i++) {
		ret = dimg_resolve(all, argv[i], chosen);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * dimg_cmd_list - run "dimgsetup list"
 *
 * Reading needs no privilege; the kernel leaves out what only root may see.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_list(int argc, char **argv)
{
	struct dimg_devices all = { 0 }, chosen = { 0 };
	struct dimg_table t = { 0 };
	struct dimg_error e;
	struct dimg_nl *nl;
	int ret;

	ret = parse(argc, argv, &t);
	if (ret >= 0)
		return ret;
	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	if (dimg_nl_dump(nl, &all, &e)) {
		ret = dimg_fail(NULL, &e);
		goto out;
	}
	if (optind == argc) {
		ret = dimg_table_print(&t, &all);
	} else {
		ret = select_devices(&all, argc - optind, argv + optind, &chosen);
		if (!ret)
			ret = dimg_table_print(&t, &chosen);
	}
out:
	dimg_devices_free(&chosen);
	dimg_devices_free(&all);
	dimg_nl_close(nl);
	return ret;
}
