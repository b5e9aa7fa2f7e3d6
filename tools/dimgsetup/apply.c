// SPDX-License-Identifier: GPL-2.0
/*
 * apply.c - the command "apply": make what is attached agree with a table.
 *
 * The name says which device belongs to which line. The whole table is read and
 * checked before the first change; a device that is attached otherwise than its
 * line says is told and left alone. After a failure the other lines are still
 * carried out: they do not depend on each other, or the failure repeats there.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "dimgtab.h"

enum {
	OPT_DETACH = 256,
	OPT_DRY_RUN,
	OPT_FILE,
	OPT_LAZY,
	OPT_WAIT,
};

/**
 * struct apply - a run of the command
 * @named: NAMEs were given
 * @chosen: entries to look at, in the order of the table
 * @nl: NULL if the driver is not there, and nothing is to be changed
 * @all: what is attached
 */
struct apply {
	const char *file;
	bool detach;
	bool dry_run;
	bool lazy;
	bool named;
	uint32_t wait_s;
	struct dimg_tab tab;
	const struct dimg_tab_entry **chosen;
	size_t n_chosen;
	struct dimg_nl *nl;
	struct dimg_devices all;
};

static int usage(void)
{
	fputs("Usage: dimgsetup apply [OPTION]... [NAME]...\n"
	      "Attach the devices of the table /etc/dimgtab that are not attached yet; with\n"
	      "NAMEs these only, also if they are marked noauto. What is attached already is\n"
	      "left as it is; in what it differs from the table is told.\n\n"
	      "      --detach           detach the devices of the table instead, last line first\n"
	      "      --wait SECONDS     with --detach: wait so long for users of the devices\n"
	      "      --lazy             with --detach: what is in use (still, after --wait) is\n"
	      "                         detached at its last close\n"
	      "  -n, --dry-run          say what would be done, change nothing\n"
	      "      --file FILE        a table other than /etc/dimgtab\n"
	      "  -v, --verbose          say on stderr what is as it should be, too\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "A line of the table is NAME IMAGE [OPTIONS]; see dimgtab(5).\n", stdout);
	return DIMG_EXIT_OK;
}

/* Options with a value; -1 to go on, else the exit code. */
static int take_value(int opt, struct apply *a)
{
	if (opt == OPT_FILE) {
		a->file = optarg;
		return -1;
	}
	if (opt != OPT_WAIT)
		return dimg_getopt_common(opt);
	if (dimg_parse_u32(optarg, &a->wait_s))
		return dimg_usage_error("--wait: \"%s\" is no number of seconds",
					optarg);
	return -1;
}

static int parse(int argc, char **argv, struct apply *a)
{
	static const struct option options[] = {
		{ "detach", no_argument, NULL, OPT_DETACH },
		{ "wait", required_argument, NULL, OPT_WAIT },
		{ "lazy", no_argument, NULL, OPT_LAZY },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "file", required_argument, NULL, OPT_FILE },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "nvhV", options, NULL)) != -1) {
		switch (opt) {
		case OPT_DETACH:
			a->detach = true;
			continue;
		case OPT_LAZY:
			a->lazy = true;
			continue;
		case 'n':
			a->dry_run = true;
			continue;
		case 'h':
			return usage();
		}
		ret = take_value(opt, a);
		if (ret >= 0)
			return ret;
	}
	if (!a->detach && (a->lazy || a->wait_s))
		return dimg_usage_error("--lazy and --wait belong to --detach");
	return -1;
}

static const struct dimg_tab_entry *find_entry(const struct dimg_tab *tab,
					       const char *name)
{
	size_t i;

	for (i = 0; i < tab->n; i++)
		if (!strcmp(tab->v[i].name, name))
			return &tab->v[i];
	return NULL;
}

static bool is_named(const char *name, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++)
		if (!strcmp(name, argv[i]))
			return true;
	return false;
}

/* A line that is wrong spoils a run over all lines, or the one that was named. */
static int check_named(const struct apply *a, int argc, char **argv)
{
	const struct dimg_tab_entry *e;
	int i;

	if (!argc && a->tab.n_bad) {
		dimg_say(a->file, "nothing is done: %zu of its lines are wrong, see above",
			 a->tab.n_bad);
		return DIMG_EXIT_USAGE;
	}
	for (i = 0; i < argc; i++) {
		e = find_entry(&a->tab, argv[i]);
		if (!e) {
			dimg_say(argv[i], "is not in %s\nCheck the name: it is the first field of a line.",
				 a->file);
			return DIMG_EXIT_NOT_FOUND;
		}
		if (e->bad) {
			dimg_say(argv[i], "its line in %s is wrong, see above; nothing is done",
				 a->file);
			return DIMG_EXIT_USAGE;
		}
	}
	return 0;
}

/* noauto keeps an entry from being attached, not from being detached. */
static int choose(struct apply *a, int argc, char **argv)
{
	const struct dimg_tab_entry *e;
	struct dimg_error err;
	size_t i;
	int ret;

	a->named = argc;
	ret = check_named(a, argc, argv);
	if (ret)
		return ret;
	a->chosen = calloc(a->tab.n + 1, sizeof(e));
	if (!a->chosen) {
		dimg_error_set(&err, ENOMEM, "%s", "");
		return dimg_fail(NULL, &err);
	}
	for (i = 0; i < a->tab.n; i++) {
		e = &a->tab.v[i];
		if (argc ? is_named(e->name, argc, argv) :
		    a->detach || !e->noauto)
			a->chosen[a->n_chosen++] = e;
	}
	return 0;
}

/*
 * Who changes nothing loads no module either: without a driver nothing is
 * attached. The same for a detach, which has nothing to do then.
 */
static int connect_driver(struct apply *a)
{
	struct dimg_error e;
	int ret;

	if (!a->dry_run && !a->detach) {
		ret = dimg_connect(&a->nl);
	} else {
		ret = dimg_nl_open(&a->nl, &e);
		if (ret == -ENOENT) {
			a->nl = NULL;
			return 0;
		}
		ret = ret ? dimg_fail(NULL, &e) : 0;
	}
	if (!ret && dimg_nl_dump(a->nl, &a->all, &e))
		ret = dimg_fail(NULL, &e);
	return ret;
}

static const struct dimg_device *find_device(const struct apply *a,
					     const char *name)
{
	size_t i;

	for (i = 0; i < a->all.n; i++)
		if (a->all.v[i].name && !strcmp(a->all.v[i].name, name))
			return &a->all.v[i];
	return NULL;
}

/* One line of output for each change. */
static void tell(const struct apply *a, const char *done, const char *would,
		 const struct dimg_tab_entry *e, uint32_t index)
{
	printf("%s %s ", a->dry_run ? would : done, e->name);
	if (index == UINT32_MAX)
		dimg_fputs_escaped(e->attach.path, stdout);
	else
		printf("/dev/" DIMG_NODE_PREFIX "%u", index);
	putchar('\n');
}

static int attach_new(struct apply *a, const struct dimg_tab_entry *e)
{
	struct dimg_attach attach = e->attach;
	struct dimg_device dev;
	int ret;

	if (a->dry_run) {
		tell(a, "", "would attach", e, UINT32_MAX);
		return DIMG_EXIT_OK;
	}
	ret = dimg_attach_open(&attach);
	if (!ret)
		ret = dimg_attach_run(a->nl, &attach, &dev);
	if (!ret) {
		tell(a, "attached", "", e, dev.index);
		dimg_device_free(&dev);
	}
	dimg_attach_close(&attach);
	return ret;
}

static int attach_entry(struct apply *a, const struct dimg_tab_entry *e)
{
	const struct dimg_device *dev = find_device(a, e->name);
	char node[DIMG_NODE_LEN];

	if (!dev)
		return attach_new(a, e);
	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	if (dev->state != DIMGBLK_STATE_LIVE) {
		dimg_say(e->name, "is being detached, %s is not gone yet\n"
			 "\"dimgsetup detach %s\" waits for its end; then try again.",
			 node, e->name);
		return DIMG_EXIT_BUSY;
	}
	if (!dimg_tab_diff(e, dev)) {
		dimg_note(e->name, "is attached already, %s", node);
		return DIMG_EXIT_OK;
	}
	dimg_say(e->name, "is attached as %s, but not as the table says; nothing is changed\n"
		 "\"dimgsetup apply --detach %s\" and \"dimgsetup apply %s\" make it so.",
		 node, e->name, e->name);
	return DIMG_EXIT_REFUSED;
}

static int detach_entry(struct apply *a, const struct dimg_tab_entry *e)
{
	const struct dimg_device *dev = find_device(a, e->name);
	int ret = DIMG_EXIT_OK;

	if (!dev) {
		dimg_note(e->name, "is not attached");
		return DIMG_EXIT_OK;
	}
	/*
	 * An image that was replaced or deleted is known by its path still; the
	 * image of a device that is going is not known any more, its end is waited for.
	 */
	if (dev->state == DIMGBLK_STATE_LIVE && !dimg_tab_is_image(e, dev) &&
	    !dimg_device_is_on(dev, e->attach.path, NULL)) {
		dimg_say(e->name, "is the name of another image, %s; it stays\n"
			 "\"dimgsetup detach %s\" detaches it all the same.",
			 dev->backing_path ? dev->backing_path : "(unknown)",
			 e->name);
		return DIMG_EXIT_REFUSED;
	}
	if (!a->dry_run)
		ret = dimg_detach_device(a->nl, dev, a->lazy ?
					 DIMGBLK_DETACH_LAZY :
					 DIMGBLK_DETACH_STRICT,
					 a->wait_s * UINT64_C(1000000));
	if (!ret)
		tell(a, a->lazy ? "released" : "detached", "would detach",
		     e, dev->index);
	return ret;
}

/* All of them, last line first for a detach; the first failure is returned. */
static int run_all(struct apply *a)
{
	const struct dimg_tab_entry *e;
	int ret = DIMG_EXIT_OK, one;
	size_t i;

	for (i = 0; i < a->n_chosen; i++) {
		e = a->chosen[a->detach ? a->n_chosen - 1 - i : i];
		dimg_tab_where(&a->tab, e);
		one = a->detach ? detach_entry(a, e) : attach_entry(a, e);
		/* who names it wants to know */
		if (one && e->nofail && !a->named)
			dimg_say(e->name, "this does not count: the line says nofail");
		else if (one && !ret)
			ret = one;
		*dimg_context = '\0';
	}
	return ret;
}

/**
 * dimg_cmd_apply - run "dimgsetup apply"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_apply(int argc, char **argv)
{
	struct apply a = { .file = DIMG_TAB_FILE };
	int ret;

	ret = parse(argc, argv, &a);
	if (ret >= 0)
		return ret;
	/* one device must not wait for the images of the others */
	ret = dimg_tab_load(a.file, a.detach || optind < argc, &a.tab);
	if (!ret)
		ret = choose(&a, argc - optind, argv + optind);
	if (!ret && a.n_chosen)
		ret = connect_driver(&a);
	if (!ret)
		ret = run_all(&a);
	dimg_nl_close(a.nl);
	dimg_devices_free(&a.all);
	free(a.chosen);
	dimg_tab_free(&a.tab);
	return ret;
}
