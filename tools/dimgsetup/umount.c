// SPDX-License-Identifier: GPL-2.0
/*
 * umount.c - the command "umount": the way back from "mount".
 *
 * Owns what the arguments mean. Everything is looked up before the first umount,
 * so that a wrong argument changes nothing. The rest is unmounting.c's.
 */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

static const struct option options[] = {
	{ "lazy", no_argument, NULL, 'l' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static int usage(void)
{
	fputs("Usage: dimgsetup umount [OPTION]... DIR|DEV|IMAGE|NAME...\n"
	      "Unmount a directory, or all that is mounted from a device or image. An image\n"
	      "that was attached by mount is free then; if it is in use all the same, that is\n"
	      "told, and is a failure unless DIR or a partition was given. One that was\n"
	      "attached by hand stays attached.\n\n"
	      "  -l, --lazy     take it out of sight now, and let go when nobody uses it\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct dimg_umount *job)
{
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "lvhV", options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		if (opt == 'l') {
			job->lazy = true;
			continue;
		}
		ret = dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	if (optind == argc)
		return dimg_usage_error("which directory, device or image?");
	return -1;
}

/* Which device is each mount of? 0 or an exit code. */
static int load(struct dimg_umount *job, struct dimg_nl *nl)
{
	struct dimg_devset set;
	struct dimg_error e;
	size_t i, j;
	int ret;

	if (nl && dimg_nl_dump(nl, &job->all, &e))
		return dimg_fail(NULL, &e);
	ret = dimg_mounts_load(&job->mounts);
	job->chosen = calloc(job->mounts.n + 1, sizeof(*job->chosen));
	job->of = calloc(job->mounts.n + 1, sizeof(*job->of));
	job->whole = calloc(job->all.n + 1, sizeof(*job->whole));
	if (ret || !job->chosen || !job->of || !job->whole) {
		dimg_error_set(&e, ret ? -ret : ENOMEM, "/proc/self/mountinfo cannot be read");
		return dimg_fail(NULL, &e);
	}
	for (i = 0; i < job->mounts.n; i++)
		job->of[i] = -1;
	for (j = 0; j < job->all.n; j++) {
		ret = dimg_devset_load(job->all.v[j].major, job->all.v[j].minor, &set);
		for (i = 0; !ret && i < job->mounts.n; i++)
			if (dimg_mounted_is_of(&job->mounts.v[i], &set))
				job->of[i] = j;
		dimg_devset_free(&set);
		/* it may have been detached meanwhile */
		if (ret && ret != -ENOENT)
			return dimg_fail_errno(job->all.v[j].backing_path, ret,
					       "cannot find out which devices are its partitions");
	}
	return 0;
}

/* A directory: what is on top there must be one of our mounts. */
static int choose_dir(struct dimg_umount *job, const char *arg)
{
	const struct dimg_mounted *top = dimg_mounted_on(&job->mounts, arg);

	if (!top) {
		dimg_say(arg, "is no mount point\n\"findmnt\" lists what is mounted, \"dimgsetup list\" what is attached.");
		return DIMG_EXIT_NOT_FOUND;
	}
	if (job->of[top - job->mounts.v] < 0) {
		dimg_say(arg, "is mounted from %s (%s), which is no device of dimgblk\n"
			 "Use umount(8) for it: \"umount DIR\".", top->source,
			 top->type);
		return DIMG_EXIT_REFUSED;
	}
	job->chosen[top - job->mounts.v] = true;
	return 0;
}

/* All mounts of a device, or of a partition of it if @part is its number. */
static size_t choose_device(struct dimg_umount *job, size_t device, dev_t part)
{
	struct dimg_devset set = { 0 };
	size_t i, n = 0;

	/* the partition comes first, then its disk, which is not meant */
	if (part && !dimg_devset_load(major(part), minor(part), &set))
		set.n = 1;
	for (i = 0; i < job->mounts.n; i++) {
		if (job->of[i] != (int)device ||
		    (part && !dimg_mounted_is_of(&job->mounts.v[i], &set)))
			continue;
		job->chosen[i] = true;
		n++;
	}
	dimg_devset_free(&set);
	return n;
}

static int fail_not_mounted(const char *arg)
{
	dimg_say(arg, "is attached, but not mounted here\n"
		 "\"dimgsetup show\" tells who uses it, \"dimgsetup detach\" removes it.");
	return DIMG_EXIT_NOT_FOUND;
}

/* A partition's node; -1 if the argument is none. */
static int choose_partition(struct dimg_umount *job, const char *arg)
{
	struct dimg_devset set;
	char node[DIMG_NODE_LEN];
	bool partition, ours = false;
	uint32_t index;
	struct stat st;
	size_t i;

	if (!dimg_parse_node(arg, &index, &partition) && *arg != '/') {
		snprintf(node, sizeof(node), "/dev/%.*s", DIMG_NODE_LEN - 6, arg);
		arg = node;
	}
	if (stat(arg, &st) || !S_ISBLK(st.st_mode))
		return -1;
	for (i = 0; !ours && i < job->all.n; i++) {
		if (!dimg_devset_load(job->all.v[i].major, job->all.v[i].minor, &set))
			ours = dimg_devset_has(&set, st.st_rdev) &&
				set.v[0].dev != st.st_rdev;
		dimg_devset_free(&set);
		if (ours)
			return choose_device(job, i, st.st_rdev) ? 0 :
				fail_not_mounted(arg);
	}
	return -1;
}

/* An argument that is no directory; several devices of an image are all meant. */
static int choose_devices(struct dimg_umount *job, const char *arg)
{
	struct dimg_devices found = { 0 };
	size_t i, j, n = 0;
	int ret = choose_partition(job, arg);

	if (ret >= 0)
		return ret;
	ret = dimg_resolve(&job->all, arg, &found);
	for (i = 0; !ret && i < found.n; i++)
		for (j = 0; j < job->all.n; j++)
			if (job->all.v[j].index == found.v[i].index) {
				n += choose_device(job, j, 0);
				job->whole[j] = true;
			}
	dimg_devices_free(&found);
	return ret ? ret : n ? 0 : fail_not_mounted(arg);
}

/* Text without a slash is a name first, as for all commands. */
static bool is_directory(const struct dimg_umount *job, const char *arg)
{
	struct stat st;
	size_t i;

	if (stat(arg, &st) || !S_ISDIR(st.st_mode))
		return false;
	for (i = 0; dimg_parse_is_name(arg) && i < job->all.n; i++)
		if (job->all.v[i].name && !strcmp(job->all.v[i].name, arg))
			return false;
	return true;
}

/* A mount below another one cannot go first. 0 or an exit code. */
static int check_order(const struct dimg_umount *job)
{
	const struct dimg_mounted *m;
	size_t i, j;

	for (i = 0; i < job->mounts.n; i++) {
		if (!job->chosen[i])
			continue;
		m = &job->mounts.v[i];
		for (j = i + 1; j < job->mounts.n; j++)
			if (!job->chosen[j] &&
			    !strcmp(job->mounts.v[j].target, m->target)) {
				dimg_say(m->target, "%s is mounted over it (%s)\n"
					 "Unmount that first: \"umount DIR\".",
					 job->mounts.v[j].source,
					 job->mounts.v[j].type);
				return DIMG_EXIT_BUSY;
			}
	}
	return 0;
}

/**
 * dimg_cmd_umount - run "dimgsetup umount"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_umount(int argc, char **argv)
{
	struct dimg_umount job = { 0 };
	struct dimg_nl *nl = NULL;
	struct dimg_error e;
	int ret;

	ret = parse(argc, argv, &job);
	if (ret >= 0)
		return ret;
	/* without a driver nothing is attached, and none is loaded to ask it */
	ret = dimg_nl_open(&nl, &e);
	if (ret && ret != -ENOENT)
		return dimg_fail(NULL, &e);
	ret = load(&job, nl);
	for (; !ret && optind < argc; optind++)
		ret = is_directory(&job, argv[optind]) ?
			choose_dir(&job, argv[optind]) :
			choose_devices(&job, argv[optind]);
	if (!ret)
		ret = check_order(&job);
	if (!ret)
		ret = dimg_umount_run(&job);
	dimg_mounts_free(&job.mounts);
	dimg_devices_free(&job.all);
	free(job.chosen);
	free(job.of);
	free(job.whole);
	dimg_nl_close(nl);
	return ret;
}
