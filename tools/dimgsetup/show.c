// SPDX-License-Identifier: GPL-2.0
/*
 * show.c - the command "show": everything about one device for people, one
 * "key: value" a line. Programs read "list --json" instead.
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "dimgsetup.h"

static const struct option options[] = {
	{ "tree", no_argument, NULL, 't' },
	{ "json", no_argument, NULL, 'J' },
	{ "bytes", no_argument, NULL, 'b' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup show [OPTION]... DEV|IMAGE|NAME\n"
	      "       dimgsetup show --tree [--json] [DEV|IMAGE|NAME]...\n"
	      "Tell everything about a device: settings in effect, partitions and users.\n\n"
	      "  -t, --tree     show what devices lie on and what lies on them; all devices\n"
	      "                 if none is given\n"
	      "  -J, --json     with --tree: print JSON\n"
	      "  -b, --bytes    with --tree: print sizes in bytes\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* One line; the key is padded so that the values stand in a column. */
static void line(const char *key, const char *fmt, ...)
	__printf(2, 3);

static void line(const char *key, const char *fmt, ...)
{
	va_list ap;

	printf("%s:%*s", key, 21 - (int)strlen(key), "");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* A line whose value others chose. */
static void line_escaped(const char *key, const char *value)
{
	printf("%s:%*s", key, 21 - (int)strlen(key), "");
	dimg_fputs_escaped(value, stdout);
	putchar('\n');
}

/* Words instead of 0 and 1: this is for people. */
static const char *yes_no(bool yes)
{
	return yes ? "yes" : "no";
}

static void show_size(const char *key, uint64_t bytes)
{
	char human[16];

	dimg_human_size(bytes, human, sizeof(human));
	line(key, "%llu bytes (%s)", (unsigned long long)bytes, human);
}

/* What list --usage has in columns. */
static void show_usage(const struct dimg_device *dev)
{
	struct dimg_usage u;

	dimg_usage_of(dev, &u);
	line("file", "%s", dimg_file_state_text(u.state));
	if (!u.is_file)
		return;
	show_size("file size", u.size);
	show_size("allocated", u.allocated);
	if (u.overcommit)
		show_size("overcommitted by", u.overcommit);
}

static void show_backing(const struct dimg_device *dev)
{
	/* a dead device has given its file away, or is about to */
	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_PATH) &&
	    dev->state != DIMGBLK_STATE_LIVE) {
		line("backing file", "(the device is being removed)");
		return;
	}
	/* absent attributes mean no permission, not absent values */
	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_PATH)) {
		line("backing file", "(only root may see it)");
		return;
	}
	line_escaped("backing file", dev->backing_path);
	line("backing inode", "%llu on device %u:%u",
	     (unsigned long long)dev->backing_inode,
	     dev->backing_major, dev->backing_minor);
	show_usage(dev);
}

/* What went wrong; a module that does not tell gets no line. */
static void show_error(const struct dimg_device *dev, int attr, const char *key,
		       const struct dimg_io_error *e)
{
	char *s;

	if (!dimg_device_knows(dev, attr))
		return;
	s = dimg_io_error_text(e);
	line(key, "%s", s ? s : "(out of memory)");
	free(s);
}

static void show_errors(const struct dimg_device *dev)
{
	if (dimg_device_knows(dev, DIMGBLK_A_ERROR_COUNT))
		line("failed requests", "%llu",
		     (unsigned long long)dev->error_count);
	show_error(dev, DIMGBLK_A_FIRST_ERROR, "first error", &dev->first_error);
	show_error(dev, DIMGBLK_A_LAST_ERROR, "last error", &dev->last_error);
}

/* In the order in which people ask: what, of what, how large, how. */
static void show_settings(const struct dimg_device *dev)
{
	line("device", "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	line("number", "%u:%u", dev->major, dev->minor);
	line("disk sequence", "%llu", (unsigned long long)dev->diskseq);
	line("name", "%s", dev->name && *dev->name ? dev->name : "(none)");
	line("state", "%s", dimg_state_text(dev->state));
	show_backing(dev);
	show_size("size", dev->capacity * DIMG_SECTOR_SIZE);
	show_size("offset", dev->offset);
	if (dev->size_limit)
		show_size("size limit", dev->size_limit);
	else
		line("size limit", "none");
	line("logical block size", "%u bytes", dev->logical_block_size);
	line("read-only", "%s", yes_no(dev->flags & DIMGBLK_FLAG_READ_ONLY));
	line("partition scan", "%s",
	     yes_no(dev->flags & DIMGBLK_FLAG_PARTITION_SCAN));
	line("auto-detach", "%s",
	     yes_no(dev->flags & DIMGBLK_FLAG_AUTO_DETACH));
	line("overlap allowed", "%s",
	     yes_no(dev->flags & DIMGBLK_FLAG_ALLOW_OVERLAP));
	line("follows the file", "%s",
	     yes_no(dev->flags & DIMGBLK_FLAG_FOLLOW));
	line("direct I/O", "%s (asked for: %s)%s%s",
	     dev->direct_in_use ? "on" : "off", dimg_direct_text(dev->direct),
	     dev->direct_reason ? ": " : "",
	     dev->direct_reason ? dev->direct_reason : "");
	line("hardware queues", "%u", dev->nr_hw_queues);
	line("queue depth", "%u", dev->queue_depth);
	line("openers", "%u", dev->open_count);
	show_errors(dev);
}

/* Partitions as sysfs has them, whoever made them. */
static void show_partitions(const struct dimg_device *dev)
{
	struct dimg_devset set;
	size_t i;

	/* member 0 is the disk itself */
	if (!dimg_devset_load(dev->major, dev->minor, &set))
		for (i = 1; i < set.n; i++)
			line("partition", "/dev/%s (%u:%u)", set.v[i].node,
			     major(set.v[i].dev), minor(set.v[i].dev));
	dimg_devset_free(&set);
}

/* The same sentences as those of a refused detach. */
static void show_holders(const struct dimg_device *dev)
{
	struct dimg_holders h;
	size_t i;

	if (!dimg_holders_find(dev->major, dev->minor, &h))
		for (i = 0; i < h.n; i++)
			line("used by", "%s", h.v[i]);
	dimg_holders_free(&h);
}

/* show --tree: each argument may mean several devices, none means all. */
static int show_tree(struct dimg_nl *nl, char **argv, bool json, bool bytes)
{
	struct dimg_devices all, chosen = { 0 };
	struct dimg_error e;
	int ret = 0;

	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	if (!*argv) {
		ret = dimg_tree_print(&all, &all, json, bytes);
	} else {
		for (; !ret && *argv; argv++)
			ret = dimg_resolve(&all, *argv, &chosen);
		if (!ret)
			ret = dimg_tree_print(&all, &chosen, json, bytes);
	}
	dimg_devices_free(&chosen);
	dimg_devices_free(&all);
	return ret;
}

static int show_one(struct dimg_nl *nl, const char *arg)
{
	struct dimg_device dev;
	int ret = dimg_resolve_one(nl, arg, &dev);

	if (ret)
		return ret;
	show_settings(&dev);
	show_partitions(&dev);
	show_holders(&dev);
	dimg_device_free(&dev);
	return DIMG_EXIT_OK;
}

/**
 * dimg_cmd_show - run "dimgsetup show"
 *
 * Users of the device are those that this user may see: all of them for root.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_show(int argc, char **argv)
{
	bool tree = false, json = false, bytes = false;
	struct dimg_nl *nl;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "tJbvhV", options, NULL)) != -1) {
		switch (opt) {
		case 't':
			tree = true;
			break;
		case 'J':
			json = true;
			break;
		case 'b':
			bytes = true;
			break;
		case 'h':
			return usage();
		default:
			ret = dimg_getopt_common(opt);
			if (ret >= 0)
				return ret;
		}
	}
	if (!tree && (json || bytes))
		return dimg_usage_error("--json and --bytes go with --tree; \"list --json\" has the settings");
	if (!tree && optind + 1 != argc)
		return dimg_usage_error("give one device, image or name");
	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	ret = tree ? show_tree(nl, argv + optind, json, bytes) :
		show_one(nl, argv[optind]);
	dimg_nl_close(nl);
	return ret;
}
