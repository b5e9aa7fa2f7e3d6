// SPDX-License-Identifier: GPL-2.0
/*
 * mounthelper.c - mount.dimg: what mount(8) calls for "-t dimg" and for lines
 * of that type in /etc/fstab.
 *
 * Owns the helper's command line, "SOURCE DIR [-sfnv] [-N NS] [-o OPTIONS]
 * [-t TYPE.SUBTYPE]", and mount(8)'s exit codes. The work is mounting.c's.
 */
#include <errno.h>
#include <getopt.h>
#include <libmount.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

/* Exit codes of mount(8). */
enum mount_exit {
	MOUNT_OK = 0,
	MOUNT_USAGE = 1,
	MOUNT_SYSTEM = 2,
	MOUNT_INTERNAL = 4,
	MOUNT_INTERRUPTED = 8,
	MOUNT_FAIL = 32,
};

/* Major number of stock loop devices, fixed in the kernel's documentation. */
#define LOOP_MAJOR	7

/*
 * Set while mount(2) may have happened: then an interrupt comes too late, and to
 * call it one would be wrong.
 */
atomic_bool dimg_mount_committed;

/* Before that, going away is all: the kernel takes the device back. */
static void on_signal(int sig)
{
	(void)sig;
	if (!dimg_mount_committed)
		_exit(MOUNT_INTERRUPTED);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaction(signals[i], &sa, NULL);
}

static int usage(void)
{
	fputs("Usage: mount.dimg IMAGE DIR [-sfnv] [-N NAMESPACE] [-o OPTIONS] [-t dimg[.TYPE]]\n"
	      "Called by mount(8) for \"mount -t dimg\" and for lines of this type in\n"
	      "/etc/fstab; by hand \"dimgsetup mount\" is more comfortable.\n\n"
	      "  -o OPTIONS    options as for mount(8); those of \"dimgsetup attach\" are\n"
	      "                written dimg.NAME[=VALUE], such as dimg.part=1,dimg.direct=auto\n"
	      "  -t dimg.TYPE  type of the file system, instead of the one found\n"
	      "  -s            ignore unknown options\n"
	      "  -f            check everything, attach and mount nothing\n"
	      "  -n            do not write to /run/mount/utab\n"
	      "  -v            say what was chosen\n"
	      "  -N NAMESPACE  mount in this mount namespace\n", stdout);
	return MOUNT_OK;
}

static int take(struct dimg_mount *m, int opt, size_t *n_args)
{
	switch (opt) {
	case 1:
		if (*n_args == 2)
			return dimg_usage_error("one IMAGE and one DIR; \"%s\" is too much",
						optarg);
		if ((*n_args)++)
			m->dir = optarg;
		else
			m->source = optarg;
		return -1;
	case 's':
		m->opts.sloppy = true;
		return -1;
	case 'f':
		m->fake = true;
		return -1;
	case 'n':
		m->no_mtab = true;
		return -1;
	case 'N':
		m->ns = optarg;
		return -1;
	case 't':
		return dimg_mount_type(m, optarg);
	default:
		return dimg_getopt_common(opt);
	}
}

/*
 * -o may come before -s, which says how to read it: options are read when all
 * else is known. -1 to go on, else the exit code.
 */
static int parse(int argc, char **argv, struct dimg_mount *m)
{
	static const char letters[] = "-sfnvN:o:t:hV";
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	size_t n_args = 0;
	int opt, ret = -1;

	/* "-": SOURCE and DIR come first, whatever POSIXLY_CORRECT says */
	while (ret < 0 &&
	       (opt = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		if (opt != 'o')
			ret = take(m, opt, &n_args);
	}
	optind = 0;
	while (ret < 0 &&
	       (opt = getopt_long(argc, argv, letters, options, NULL)) != -1)
		if (opt == 'o')
			ret = dimg_mountopts_add(&m->opts, optarg, &m->attach);
	if (ret < 0 && n_args != 2)
		return dimg_usage_error("which IMAGE, and on which DIR?");
	return ret;
}

/* "loop" among the options of mount(8) has made a stock loop device by now. */
static int refuse_loop(const struct dimg_mount *m)
{
	struct stat st;

	if (stat(m->source, &st) || !S_ISBLK(st.st_mode) ||
	    major(st.st_rdev) != LOOP_MAJOR)
		return 0;
	dimg_say(m->source, "is a loop device\n"
		 "mount(8) makes one for the options loop, offset= and sizelimit=: write dimg.offset=, dimg.sizelimit= or dimg.part= instead.");
	return DIMG_EXIT_USAGE;
}

/* An image that is not there is no error with the option nofail. */
static bool is_excused(const struct dimg_mount *m)
{
	struct stat st;

	if (!m->opts.nofail || !stat(m->source, &st) || errno != ENOENT)
		return false;
	dimg_note(m->source, "is not there, as nofail allows");
	return true;
}

/* Change options of what is mounted; it has a type and a device of its own. */
static int change_options(struct dimg_mount *m)
{
	struct dimg_mounted there;
	struct libmnt_context *cxt;
	char text[1024] = "";
	int ret;

	if (dimg_mounted_find_dir(m->dir, &there)) {
		dimg_say(m->dir, "is no mount point, there is nothing to remount");
		return MOUNT_FAIL;
	}
	cxt = mnt_new_context();
	ret = !cxt ? -ENOMEM : mnt_context_set_source(cxt, there.source) ?:
		mnt_context_set_target(cxt, there.target) ?:
		mnt_context_set_fstype(cxt, there.type) ?:
		mnt_context_set_options(cxt, m->opts.rest) ?:
		mnt_context_set_optsmode(cxt, MNT_OMODE_NOTAB);
	if (!ret) {
		mnt_context_enable_fake(cxt, m->fake);
		mnt_context_disable_mtab(cxt, m->no_mtab);
		ret = mnt_context_get_excode(cxt, mnt_context_mount(cxt), text,
					     sizeof(text));
		if (ret)
			dimg_say(m->dir, "%s", text);
	}
	mnt_free_context(cxt);
	dimg_mounted_free(&there);
	return ret < 0 ? MOUNT_SYSTEM : ret;
}

/* The tool's exit code as mount(8) knows them. */
static int translate(const struct dimg_mount *m, int code)
{
	switch (code) {
	case DIMG_EXIT_OK:
		return MOUNT_OK;
	case DIMG_EXIT_USAGE:
	case DIMG_EXIT_PERMISSION:
		return MOUNT_USAGE;
	case DIMG_EXIT_NO_MODULE:
		return MOUNT_SYSTEM;
	case DIMG_EXIT_BUSY:
		/* "mount -a" cannot know it; mounted is what was wanted */
		return m->already ? MOUNT_OK : MOUNT_FAIL;
	default:
		return m->helper_code ? m->helper_code : MOUNT_FAIL;
	}
}

/**
 * dimg_mount_helper - run mount.dimg
 *
 * Return: an exit code of mount(8); whatever went wrong has been reported.
 */
int dimg_mount_helper(int argc, char **argv)
{
	struct dimg_mount m = { .helper = true };
	int ret;

	dimg_program = "mount.dimg";
	catch_signals();
	dimg_attach_init(&m.attach);
	ret = parse(argc, argv, &m);
	/* from here on the remedies are those of the command */
	dimg_command = "mount";
	if (ret < 0 && m.opts.remount) {
		ret = change_options(&m);
	} else if (ret < 0) {
		ret = refuse_loop(&m);
		if (!ret && !is_excused(&m))
			ret = dimg_mount_run(&m);
		ret = translate(&m, ret);
	}
	dimg_mountopts_free(&m.opts);
	return ret;
}
