// SPDX-License-Identifier: GPL-2.0
/*
 * detach.c - the command "detach": remove devices, or say who keeps them.
 *
 * Strict unless --lazy or --force is said. A device in use stays as it is, and
 * every holder is named (holders.c). udev opens each disk for a moment after
 * it changed; that alone makes no detach fail, it is waited for.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dimgtab.h"

/* How long a short use, such as a probe by udev, is waited for. */
#define BUSY_LIMIT_US		(10 * 1000000ULL)
#define BUSY_POLL_NS		20000000L

enum { OPT_EXCEPT_TABLE = 256 };

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "except-table", no_argument, NULL, OPT_EXCEPT_TABLE },
	{ "lazy", no_argument, NULL, 'l' },
	{ "force", no_argument, NULL, 'f' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/* What the command line asks for. */
struct job {
	uint32_t mode;
	bool all;
	bool except_table;
};

static int usage(void)
{
	fputs("Usage: dimgsetup detach [OPTION]... DEV|IMAGE|NAME...\n"
	      "       dimgsetup detach --all\n"
	      "Remove devices. A device in use is not touched, and its users are named.\n"
	      "When detach has succeeded the image is written out and free.\n\n"
	      "  -a, --all      all devices of each IMAGE; without arguments all devices\n"
	      "      --except-table\n"
	      "                 with --all alone: leave out those named in /etc/dimgtab\n"
	      "  -l, --lazy     if it is in use, detach at the last close\n"
	      "  -f, --force    detach even if it is in use: its users get I/O errors, and\n"
	      "                 what they had not written out is lost\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct job *job)
{
	int opt, ret;

	*job = (struct job){ .mode = DIMGBLK_DETACH_STRICT };
	while ((opt = getopt_long(argc, argv, "alfvhV", options, NULL)) != -1) {
		switch (opt) {
		case 'a':
			job->all = true;
			break;
		case OPT_EXCEPT_TABLE:
			job->except_table = true;
			break;
		case 'l':
		case 'f':
			if (job->mode != DIMGBLK_DETACH_STRICT)
				return dimg_usage_error("one of --lazy and --force, once");
			job->mode = opt == 'l' ? DIMGBLK_DETACH_LAZY :
				DIMGBLK_DETACH_FORCED;
			break;
		case 'h':
			return usage();
		default:
			ret = dimg_getopt_common(opt);
			if (ret >= 0)
				return ret;
		}
	}
	if (optind == argc && !job->all)
		return dimg_usage_error("which device? --all means every one");
	if (job->except_table && (optind < argc || !job->all))
		return dimg_usage_error("--except-table belongs to --all without arguments");
	return -1;
}

/* One image may be on several devices: that needs a word from the user. */
static int fail_several(const char *arg, const struct dimg_devices *found,
			size_t first)
{
	size_t i;

	dimg_say(arg, "is attached %zu times:", found->n - first);
	for (i = first; i < found->n; i++)
		fprintf(stderr, "  /dev/" DIMG_NODE_PREFIX "%u (offset %llu)\n",
			found->v[i].index,
			(unsigned long long)found->v[i].offset);
	fputs("Give one of these devices, or say --all.\n", stderr);
	return DIMG_EXIT_REFUSED;
}

/* Find what to detach; nothing is detached if one argument is wrong. */
static int choose(struct dimg_nl *nl, int argc, char **argv, bool several,
		  struct dimg_devices *chosen)
{
	struct dimg_devices all;
	struct dimg_error e;
	int i, ret = 0;

	if (!argc)
		return dimg_nl_dump(nl, chosen, &e) ? dimg_fail(NULL, &e) : 0;
	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	for (i = 0; !ret && i < argc; i++) {
		size_t first = chosen->n;

		ret = dimg_resolve(&all, argv[i], chosen);
		if (!ret && !several && chosen->n - first > 1)
			ret = fail_several(argv[i], chosen, first);
	}
	dimg_devices_free(&all);
	return ret;
}

static bool is_in_table(const struct dimg_tab *tab, const char *name)
{
	size_t i;

	for (i = 0; name && i < tab->n; i++)
		if (!tab->v[i].bad && !strcmp(tab->v[i].name, name))
			return true;
	return false;
}

/*
 * Leave out what the services of the table detach at their time. There are none of
 * lines that are wrong, nor of a table that cannot be read; each has been reported.
 */
static int leave_out_table(struct dimg_devices *chosen)
{
	struct dimg_tab tab;
	size_t i, n = 0;
	int ret;

	if (access(DIMG_TAB_FILE, F_OK) && errno == ENOENT)
		return 0;
	ret = dimg_tab_load(DIMG_TAB_FILE, true, &tab);
	for (i = 0; i < chosen->n; i++) {
		if (is_in_table(&tab, chosen->v[i].name))
			dimg_device_free(&chosen->v[i]);
		else
			chosen->v[n++] = chosen->v[i];
	}
	chosen->n = n;
	dimg_tab_free(&tab);
	return ret;
}

/*
 * A device that was in use is gone: another lazy detach, or its own way to go, came
 * first at the last close. That is what was asked for.
 */
static int tell_gone(const char *node, struct dimg_device *reply)
{
	dimg_say(node,
		 "is gone with its last user, but whether its last sync succeeded is not known\n"
		 "Check the image before it is used; \"dmesg\" tells of errors of the storage below.");
	reply->state = DIMGBLK_STATE_DETACHED;
	return DIMG_EXIT_OK;
}

static bool is_gone(const struct dimg_error *e)
{
	return e->err == ENODEV || e->err == ESTALE;
}

/*
 * Detach strictly, with patience for users that go by themselves: udev's
 * workers, a user that is gone before it can be named, and for @patience_us all
 * others. If @quiet, -1 instead of a message if it is still busy then, and one that
 * went meanwhile is no failure.
 */
static int detach_strict(struct dimg_nl *nl, const struct dimg_device *dev,
			 const char *node, uint64_t patience_us, bool quiet,
			 struct dimg_device *reply)
{
	const struct timespec pause = { .tv_nsec = BUSY_POLL_NS };
	const struct timespec long_pause = { .tv_nsec = 10 * BUSY_POLL_NS };
	uint64_t start_us = dimg_now_us(), past_us;
	bool was_busy = false;
	struct dimg_holders h;
	struct dimg_error e;
	int ret;

	/* the identity in @dev keeps a retry from hitting a successor */
	while (dimg_nl_detach(nl, dev, DIMGBLK_DETACH_STRICT, reply, &e)) {
		if (quiet && was_busy && is_gone(&e))
			return tell_gone(node, reply);
		if (e.err != EBUSY)
			return dimg_fail_detach(node, &e, NULL);
		if (patience_us && !was_busy)
			dimg_note(node, "is in use; waiting for its users");
		was_busy = true;
		past_us = dimg_now_us() - start_us;
		ret = dimg_holders_find(dev->major, dev->minor, &h);
		if (past_us > patience_us &&
		    (ret || h.n > h.n_udev || past_us > BUSY_LIMIT_US)) {
			ret = quiet ? -1 : dimg_fail_detach(node, &e, &h);
			dimg_holders_free(&h);
			return ret;
		}
		/* udev is done soon; for others there is no hurry, a look costs more */
		nanosleep(h.n > h.n_udev ? &long_pause : &pause, NULL);
		dimg_holders_free(&h);
	}
	return 0;
}

/*
 * The kernel answers after some seconds even if the backing file does not: the
 * detach has begun and cannot be taken back. Ask again until it is over; who does
 * not want to wait may interrupt, that changes nothing. The result of the last
 * sync is told only to who asks before the end.
 */
static int wait_detached(struct dimg_nl *nl, const struct dimg_device *dev,
			 const char *node, struct dimg_device *reply)
{
	struct dimg_error e;

	if (reply->state == DIMGBLK_STATE_DETACHING)
		dimg_say(node,
			 "is being detached, but its backing file does not answer; waiting for it (Ctrl-C does not stop the detach)");
	while (reply->state == DIMGBLK_STATE_DETACHING) {
		dimg_device_free(reply);
		if (!dimg_nl_detach(nl, dev, DIMGBLK_DETACH_STRICT, reply, &e))
			continue;
		if (e.err != ENODEV && e.err != ESTALE)
			return dimg_fail_detach(node, &e, NULL);
		/* gone between two requests, perhaps with a successor */
		dimg_say(node,
			 "is gone, but whether its last sync succeeded is not known\n"
			 "Check the image before it is used; \"dmesg\" tells of errors of the storage below.");
		return DIMG_EXIT_KERNEL;
	}
	return 0;
}

/* Say what a lazy or forced detach has left behind. */
static int report_rest(const char *node, const struct dimg_device *reply)
{
	if (reply->state == DIMGBLK_STATE_DETACHED)
		return DIMG_EXIT_OK;
	if (reply->state != DIMGBLK_STATE_DEAD) {
		dimg_say(node, "is still open (%u times); it will be detached at the last close",
			 reply->open_count);
		return DIMG_EXIT_OK;
	}
	dimg_say(node,
		 "is dead, but its backing file holds on to requests that it was given before; the image is not free yet\n"
		 "It goes when the storage below answers or gives up; \"dimgsetup list\" shows it until then.");
	return DIMG_EXIT_KERNEL;
}

/* Patience first, then as a lazy detach. */
static int detach_at_last(struct dimg_nl *nl, const struct dimg_device *dev,
			  const char *node, uint64_t patience_us,
			  struct dimg_device *reply)
{
	struct dimg_error e;
	int ret;

	ret = detach_strict(nl, dev, node, patience_us, true, reply);
	if (ret >= 0)
		return ret;
	if (!dimg_nl_detach(nl, dev, DIMGBLK_DETACH_LAZY, reply, &e))
		return 0;
	return is_gone(&e) ? tell_gone(node, reply) :
		dimg_fail_detach(node, &e, NULL);
}

/* A detach that was asked for: the device, the kernel's last word, or a failure. */
struct detach {
	const struct dimg_device *dev;
	struct dimg_device reply;
	struct dimg_parting *parting;
	char node[DIMG_NODE_LEN];
	int ret;
};

static void begin_detach(struct dimg_nl *nl, struct detach *d,
			 const struct dimg_device *dev, uint32_t mode,
			 uint64_t patience_us)
{
	struct dimg_error e;

	memset(d, 0, sizeof(*d));
	d->dev = dev;
	d->parting = dimg_parting_begin(dev);
	snprintf(d->node, sizeof(d->node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	if (mode == DIMGBLK_DETACH_STRICT)
		d->ret = detach_strict(nl, dev, d->node, patience_us, false, &d->reply);
	else if (mode == DIMGBLK_DETACH_LAZY && patience_us)
		d->ret = detach_at_last(nl, dev, d->node, patience_us, &d->reply);
	else if (dimg_nl_detach(nl, dev, mode, &d->reply, &e))
		d->ret = dimg_fail_detach(d->node, &e, NULL);
}

/* Does the backing file keep it from its end? */
static bool is_hanging(const struct detach *d)
{
	return !d->ret && d->reply.state == DIMGBLK_STATE_DETACHING;
}

static int end_detach(struct dimg_nl *nl, struct detach *d)
{
	int ret = d->ret;

	if (!ret)
		ret = wait_detached(nl, d->dev, d->node, &d->reply);
	if (!ret)
		ret = report_rest(d->node, &d->reply);
	dimg_parting_end(d->parting,
			 !ret && d->reply.state == DIMGBLK_STATE_DETACHED);
	dimg_device_free(&d->reply);
	return ret;
}

/**
 * dimg_detach_device - detach one device, and wait until it is gone
 * @mode: DIMGBLK_DETACH_*
 * @patience_us: how long to wait for its users first; not for a forced detach
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_detach_device(struct dimg_nl *nl, const struct dimg_device *dev,
		       uint32_t mode, uint64_t patience_us)
{
	struct detach d;

	begin_detach(nl, &d, dev, mode, patience_us);
	return end_detach(nl, &d);
}

/*
 * All of the list, newest first: an image may lie on a device attached before it.
 * What hangs is waited for when all others are done.
 */
static int detach_each(struct dimg_nl *nl, struct dimg_devices *chosen,
		       uint32_t mode)
{
	struct detach *d = calloc(chosen->n + 1, sizeof(*d));
	int ret = 0, one;
	size_t i, n = 0;

	if (!d)
		return dimg_fail_errno(NULL, -ENOMEM, "");
	dimg_devices_newest_first(chosen);
	for (i = 0; i < chosen->n; i++) {
		begin_detach(nl, &d[n], &chosen->v[i], mode, 0);
		if (is_hanging(&d[n])) {
			n++;
			continue;
		}
		one = end_detach(nl, &d[n]);
		if (!ret)
			ret = one;
	}
	for (i = 0; i < n; i++) {
		one = end_detach(nl, &d[i]);
		if (!ret)
			ret = one;
	}
	free(d);
	return ret;
}

/**
 * dimg_cmd_detach - run "dimgsetup detach"
 *
 * All arguments are looked up before the first detach, so that a wrong one
 * changes nothing. A device that cannot be detached does not keep the others.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_detach(int argc, char **argv)
{
	struct dimg_devices chosen = { 0 };
	struct dimg_nl *nl;
	struct job job;
	int ret, one;

	ret = parse(argc, argv, &job);
	if (ret >= 0)
		return ret;
	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	ret = choose(nl, argc - optind, argv + optind, job.all, &chosen);
	if (!ret) {
		ret = job.except_table ? leave_out_table(&chosen) : 0;
		one = detach_each(nl, &chosen, job.mode);
		ret = ret ? ret : one;
	}
	dimg_devices_free(&chosen);
	dimg_nl_close(nl);
	return ret;
}
