// SPDX-License-Identifier: GPL-2.0
/*
 * resize.c - the command "resize": make an image larger or smaller, with its
 * device and, with --all, with partition and file system.
 *
 * Owns the order of the steps. Larger: file, device, table, file system;
 * smaller: the other way round, and the file last, so that nothing is cut off
 * that is in use. Each step can be done again: a command that was interrupted
 * is completed by the same one.
 */
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "resize.h"

enum { OPT_SHRINK = 256, OPT_ALL, OPT_DRY_RUN };

static const struct option options[] = {
	{ "all", no_argument, NULL, OPT_ALL },
	{ "shrink", no_argument, NULL, OPT_SHRINK },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup resize [OPTION]... DEV|IMAGE|NAME [SIZE|+SIZE|-SIZE]\n"
	      "Give an image another size, and its device if it is attached. Without a size, the\n"
	      "device takes that of its image, which was changed by other means (truncate -s).\n"
	      "Offset and size limit stay. Prints each step.\n\n"
	      "      --all      the rest, too: backup of a GPT, last partition, file system;\n"
	      "                 mounted or not. What is not attached is, meanwhile\n"
	      "      --shrink   allow it to become smaller, but not smaller than the file\n"
	      "                 system; with --all that becomes smaller first. Without a\n"
	      "                 size the file has been cut off already, and this just says so\n"
	      "      --dry-run  print the steps, do none\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n\n"
	      "After an interruption the same command completes the work; with +SIZE it would\n"
	      "add again: give the size that was printed instead.\n", stdout);
	return DIMG_EXIT_OK;
}

/* A difference such as -1G looks like options to getopt_long(): take it out. */
static char *take_negative(int *argc, char **argv)
{
	char *size = NULL;
	int i;

	for (i = 1; i < *argc; i++) {
		if (!strcmp(argv[i], "--"))
			break;
		if (argv[i][0] != '-' || argv[i][1] < '0' || argv[i][1] > '9' || size)
			continue;
		size = argv[i];
		memmove(&argv[i], &argv[i + 1], (*argc - i) * sizeof(*argv));
		--*argc;
		i--;
	}
	return size;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct resize *r)
{
	char *size = take_negative(&argc, argv);
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		r->all |= opt == OPT_ALL;
		r->shrink |= opt == OPT_SHRINK;
		r->dry_run |= opt == OPT_DRY_RUN;
		ret = opt >= OPT_SHRINK ? -1 : dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	if (!size && optind + 2 == argc)
		size = argv[--argc];
	if (optind + 1 != argc)
		return dimg_usage_error("give one device, image or name, and a size if it is to change");
	r->arg = argv[optind];
	r->has_size = size;
	ret = size ? dimg_size_change_parse(size, &r->change) : 0;
	return ret ? ret : -1;
}

/**
 * resize_step - tell a step when it begins; with --dry-run that is all
 */
void resize_step(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* resize_step_sizes - tell a step that changes a number of bytes. */
void resize_step_sizes(const char *what, uint64_t from, uint64_t to)
{
	resize_step("%s: %llu -> %llu bytes", what, (unsigned long long)from,
		    (unsigned long long)to);
}

/* The kernel measures again, and its reply is what gets printed. */
static int set_device_size(struct resize *r)
{
	uint64_t now = r->dev.capacity * DIMG_SECTOR_SIZE;
	char what[DIMG_NODE_LEN];
	struct dimg_device reply;
	struct dimg_error e;

	snprintf(what, sizeof(what), "/dev/" DIMG_NODE_PREFIX "%u", r->dev.index);
	if (r->dry_run) {
		resize_step_sizes(what, now, r->disk_new);
		return 0;
	}
	if (dimg_nl_resize(r->nl, &r->dev, &reply, &e))
		return dimg_fail(r->arg, &e);
	/* one that is here for a moment only is not the user's business */
	if (r->attached)
		resize_step_sizes(what, now, reply.capacity * DIMG_SECTOR_SIZE);
	dimg_device_free(&reply);
	return 0;
}

/* A GPT of which one copy is void, before the other one is out of its place. */
static int mend_table(const struct resize *r)
{
	bool mended;
	int ret;

	if (r->dry_run || !r->pttype || strcmp(r->pttype, "gpt"))
		return 0;
	ret = dimg_ptable_mend(r->arg, r->disk_fd, r->sector_size, &mended);
	if (!ret && mended)
		resize_step("GPT: a copy that was void or misplaced, written anew");
	return ret;
}

static int set_table(struct resize *r)
{
	char what[48];
	int ret;

	if (!r->pttype)
		return 0;
	if (!strcmp(r->pttype, "gpt"))
		resize_step("GPT: backup at byte %llu",
			    (unsigned long long)(r->disk_new - r->sector_size));
	snprintf(what, sizeof(what), "partition %u", r->part.nr);
	resize_step_sizes(what, r->part_old, r->part.size);
	if (r->dry_run)
		return 0;
	ret = r->draft < 0 ?
		dimg_ptable_set(r->arg, r->disk_fd, r->sector_size, &r->part,
				r->part_old) :
		dimg_ptable_put(r->arg, r->disk_fd, r->draft, r->sector_size,
				r->disk_new);
	if (!ret && (r->attached || r->borrowed))
		ret = dimg_ptable_tell(r->arg, r->disk_fd, &r->part);
	return ret;
}

static int set_file_system(struct resize *r)
{
	bool smaller = r->fs_new < r->fs_old;

	switch (resize_fs_kind(r)) {
	case RESIZE_FS_EXT:
	case RESIZE_FS_XFS:
	case RESIZE_FS_BTRFS:
		resize_step("%s: %s to %llu bytes", r->fs.type,
			    smaller ? "made smaller" : "grown",
			    (unsigned long long)r->fs_new);
		break;
	default:
		break;
	}
	if (r->dry_run)
		return 0;
	resize_read_disk_only(r);
	return resize_fs_run(r);
}

/* Is the work on the file system done on a device that is yet to be attached? */
static bool will_borrow(const struct resize *r)
{
	enum resize_fs kind = resize_fs_kind(r);

	return r->all && !r->attached && !r->dry_run && !geteuid() &&
	       (kind == RESIZE_FS_EXT || kind == RESIZE_FS_XFS ||
		kind == RESIZE_FS_BTRFS);
}

/* Attach the image for as long as this command runs, or is not killed. */
static int borrow_device(struct resize *r)
{
	struct dimg_image img = { .fd = r->fd, .path = r->path };
	struct stat st, now;
	struct dimg_attach a;
	int ret;

	if (!will_borrow(r))
		return 0;
	/* from now on shared with the device */
	ret = dimg_lock_image(&img, false);
	if (ret)
		return ret;
	dimg_attach_init(&a);
	a.path = r->path;
	ret = dimg_attach_option(&a, "sector-size", "auto");
	if (ret >= 0)
		return ret;
	a.req.flags |= DIMGBLK_FLAG_PARTITION_SCAN | DIMGBLK_FLAG_SOCKET_OWNER;
	ret = dimg_attach_open(&a);
	/* by its path, which may lead to another file by now */
	if (!ret && (fstat(r->fd, &st) || fstat(a.img.fd, &now) ||
		     st.st_dev != now.st_dev || st.st_ino != now.st_ino)) {
		dimg_say(r->arg, "the image was replaced by another one meanwhile; that one was left as it is\n"
			 "Run the command again.");
		ret = DIMG_EXIT_REFUSED;
	}
	if (!ret)
		ret = dimg_attach_run(r->nl, &a, &r->dev);
	dimg_attach_close(&a);
	if (ret)
		return ret;
	r->borrowed = true;
	return resize_open_disk(r);
}

/* A signal between two steps ends the command there, in a state it can tell. */
static int check_signals(const struct resize *r)
{
	sigset_t pending;

	sigpending(&pending);
	if (!sigismember(&pending, SIGINT) && !sigismember(&pending, SIGTERM) &&
	    !sigismember(&pending, SIGHUP))
		return 0;
	dimg_say(r->arg, "interrupted between two steps");
	return DIMG_EXIT_KERNEL;
}

static int make_larger(struct resize *r)
{
	int ret = r->all ? mend_table(r) : 0;

	if (!ret)
		ret = resize_file(r);
	if (!ret && r->attached)
		ret = set_device_size(r);
	if (!ret && r->all)
		ret = borrow_device(r);
	if (!ret)
		ret = check_signals(r);
	if (!ret && r->all)
		ret = set_table(r);
	if (!ret)
		ret = check_signals(r);
	if (!ret && r->all)
		ret = set_file_system(r);
	return ret;
}

/* The table of a smaller disk: what remains to be mended once it is smaller. */
static int finish_table(struct resize *r)
{
	if (r->draft < 0 || r->dry_run)
		return 0;
	return dimg_ptable_set(r->arg, r->disk_fd, r->sector_size, &r->part,
			       r->part_old);
}

static int make_smaller(struct resize *r)
{
	int ret = r->all ? borrow_device(r) : 0;

	if (!ret && r->all && r->fs_new < r->fs_old)
		ret = set_file_system(r);
	if (!ret)
		ret = check_signals(r);
	if (!ret)
		ret = resize_fs_verify(r);
	if (!ret && r->all)
		ret = set_table(r);
	if (!ret)
		ret = check_signals(r);
	if (!ret)
		ret = resize_file(r);
	if (!ret && (r->attached || r->borrowed))
		ret = set_device_size(r);
	return ret ? ret : finish_table(r);
}

/* Ctrl-C waits for the end of a step; kill -9 is for those who insist. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* ulimit -f: the errno says it better */
	signal(SIGXFSZ, SIG_IGN);
	/* nobody reads the steps any more: no reason to stop between them */
	signal(SIGPIPE, SIG_IGN);
}

/*
 * An earlier attempt may have ended after the file was cut and before its
 * device: everything else was small enough then.
 */
static int catch_up(struct resize *r)
{
	int ret;

	if (!r->attached || !r->has_size || !r->shrink || r->dry_run ||
	    r->file_new != r->file_old || r->disk_new >= r->disk_old)
		return 0;
	ret = set_device_size(r);
	r->dev.capacity = r->disk_new / DIMG_SECTOR_SIZE;
	r->disk_old = r->disk_new;
	return ret;
}

static int change(struct resize *r)
{
	int ret = catch_up(r);

	if (!ret)
		ret = resize_plan(r);
	/* the module may be missing: before the first step, not after it */
	if (!ret && !r->nl && will_borrow(r))
		ret = dimg_connect(&r->nl);
	if (ret)
		return ret;
	if (!r->dry_run)
		block_signals();
	ret = r->disk_new < r->disk_old || r->file_new < r->file_old ?
		make_smaller(r) : make_larger(r);
	if (ret && !r->dry_run && r->has_size) {
		fprintf(stderr, "To complete it: dimgsetup resize%s%s ",
			r->all ? " --all" : "", r->shrink ? " --shrink" : "");
		dimg_fputs_escaped(r->arg, stderr);
		fprintf(stderr, " %llu\n", (unsigned long long)r->file_new);
	}
	return ret;
}

/**
 * dimg_cmd_resize - run "dimgsetup resize"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_resize(int argc, char **argv)
{
	struct resize r = { .fd = -1, .disk_fd = -1, .draft = -1 };
	int ret, closed;

	ret = parse(argc, argv, &r);
	if (ret >= 0)
		return ret;
	ret = resize_open(&r);
	if (!ret)
		ret = change(&r);
	closed = resize_close(&r);
	return ret ? ret : closed;
}
