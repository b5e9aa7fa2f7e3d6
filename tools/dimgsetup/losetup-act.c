// SPDX-License-Identifier: GPL-2.0
/*
 * losetup-act.c - owns what dimg-losetup does once its command line is read:
 * losetup's actions in terms of dimgsetup's, with losetup's output.
 */
#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "losetup.h"

/* As "losetup -a" prints a device. */
static void print_line(const struct dimg_device *dev)
{
	printf("/dev/" DIMG_NODE_PREFIX "%u: [", dev->index);
	/* not told to everybody */
	if (dimg_device_knows(dev, DIMGBLK_A_BACKING_INODE))
		printf("%04llu]:%llu",
		       (unsigned long long)makedev(dev->backing_major,
						   dev->backing_minor),
		       (unsigned long long)dev->backing_inode);
	else
		putchar(']');
	fputs(" (", stdout);
	dimg_fputs_escaped(dev->backing_path ? dev->backing_path : "", stdout);
	putchar(')');
	if (dev->offset)
		printf(", offset %llu", (unsigned long long)dev->offset);
	if (dev->size_limit)
		printf(", sizelimit %llu", (unsigned long long)dev->size_limit);
	putchar('\n');
}

static int print(const struct dimg_losetup *job, const struct dimg_devices *devs)
{
	size_t i;

	if (job->list)
		return dimg_table_print(&job->t, devs);
	for (i = 0; i < devs->n; i++)
		print_line(&devs->v[i]);
	return DIMG_EXIT_OK;
}

/* Those of a file, as -j wants them: none is no failure. */
static int find_associated(const struct dimg_losetup *job, const struct dimg_devices *all,
			   struct dimg_devices *found)
{
	struct stat st;
	size_t i;

	if (stat(job->arg, &st))
		return 0;
	for (i = 0; i < all->n; i++)
		if (dimg_device_is_on(&all->v[i], job->arg, &st) &&
		    (!job->offset || all->v[i].offset == job->a.req.offset) &&
		    dimg_devices_copy(found, &all->v[i]))
			return -ENOMEM;
	return 0;
}

/* -a, -l, -j FILE, DEV */
static int list(struct dimg_nl *nl, const struct dimg_losetup *job)
{
	struct dimg_devices all, found = { 0 };
	struct dimg_error e;
	int ret;

	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	if (job->act == 'j')
		ret = find_associated(job, &all, &found);
	else if (!job->act && job->n_rest)
		ret = dimg_resolve(&all, job->rest[0], &found);
	else
		ret = print(job, &all);
	if (!ret && (job->act == 'j' || (!job->act && job->n_rest)))
		ret = print(job, &found);
	dimg_devices_free(&found);
	dimg_devices_free(&all);
	return ret;
}

/* -f alone: somebody else may take it before you do. */
static int print_unused(struct dimg_nl *nl)
{
	struct dimg_devices all;
	struct dimg_error e;
	uint32_t index = 0;
	size_t i;

	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	/* in any order: begin again after each match */
	for (i = 0; i < all.n; i++) {
		if (all.v[i].index != index)
			continue;
		index++;
		i = -1;
	}
	dimg_devices_free(&all);
	printf("/dev/" DIMG_NODE_PREFIX "%u\n", index);
	return DIMG_EXIT_OK;
}

/* --remove DEV: detached, it is gone; attached, it is in use, as for losetup. */
static int check_removed(struct dimg_nl *nl, const struct dimg_losetup *job)
{
	struct dimg_devices all;
	struct dimg_error e;
	bool partition;
	uint32_t index;
	size_t i;

	if (dimg_parse_node(job->arg, &index, &partition) || partition)
		return dimg_usage_error("--remove: \"%s\" is no node of a disk",
					job->arg);
	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	for (i = 0; i < all.n && all.v[i].index != index; i++)
		;
	if (i < all.n)
		dimg_say(job->arg, "is attached\nDetach it with -d, then it is removed.");
	i = i < all.n;
	dimg_devices_free(&all);
	return i ? DIMG_EXIT_BUSY : DIMG_EXIT_OK;
}

/* -d, -D: all are looked up before the first is detached. */
static int detach(struct dimg_nl *nl, const struct dimg_losetup *job)
{
	struct dimg_devices all, found = { 0 };
	struct dimg_error e;
	bool looked_up;
	int ret = 0, i;
	size_t n;

	if (dimg_nl_dump(nl, &all, &e))
		return dimg_fail(NULL, &e);
	if (job->act == 'd')
		ret = dimg_resolve(&all, job->arg, &found);
	for (i = 0; job->act == 'd' && !ret && i < job->n_rest; i++)
		ret = dimg_resolve(&all, job->rest[i], &found);
	if (!ret && job->act == 'D') {
		found = all;
		all = (struct dimg_devices){ 0 };
	}
	looked_up = !ret;
	/* as losetup: one that cannot be detached does not keep the others */
	dimg_devices_newest_first(&found);
	for (n = 0; looked_up && n < found.n; n++)
		ret |= dimg_detach_device(nl, &found.v[n],
					  DIMGBLK_DETACH_STRICT, 0);
	dimg_devices_free(&found);
	dimg_devices_free(&all);
	return ret;
}

/* -c DEV, --direct-io=on|off DEV */
static int change(struct dimg_nl *nl, const struct dimg_losetup *job, const char *arg)
{
	struct dimg_device dev, reply = { 0 };
	struct dimg_error e;
	int ret;

	ret = dimg_resolve_one(nl, arg, &dev);
	if (ret)
		return ret;
	if (job->act == 'c')
		ret = dimg_nl_resize(nl, &dev, &reply, &e);
	else
		ret = dimg_nl_set_direct(nl, &dev, job->a.req.direct, &reply, &e);
	if (ret)
		ret = dimg_fail(arg, &e);
	else
		dimg_device_free(&reply);
	dimg_device_free(&dev);
	return ret;
}

/**
 * dimg_losetup_create - make a device: -f FILE, or DEV FILE
 *
 * Return: an exit code after whatever went wrong has been reported.
 */
int dimg_losetup_create(struct dimg_losetup *job)
{
	struct dimg_nl *nl = NULL;
	struct dimg_device dev;
	int ret;

	/* losetup's default; dimgsetup's is auto */
	if (!job->dio)
		dimg_attach_option(&job->a, "direct-io", "off");
	if (job->nooverlap) {
		ret = dimg_reuse(&nl, &job->a, &dev);
	} else {
		ret = dimg_attach_open(&job->a);
		if (!ret)
			ret = dimg_connect(&nl);
		if (!ret)
			ret = dimg_attach_run(nl, &job->a, &dev);
	}
	if (!ret) {
		if (job->show)
			printf("/dev/" DIMG_NODE_PREFIX "%u\n", dev.index);
		dimg_device_free(&dev);
	}
	dimg_attach_close(&job->a);
	if (nl)
		dimg_nl_close(nl);
	return ret;
}

/**
 * dimg_losetup_act - everything else: list, find, detach, change
 *
 * Return: an exit code after whatever went wrong has been reported.
 */
int dimg_losetup_act(struct dimg_losetup *job)
{
	struct dimg_nl *nl;
	int ret;

	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	if (job->act == 'c' || job->dio)
		ret = change(nl, job, job->act ? job->arg : job->rest[0]);
	else if (job->act == 'd' || job->act == 'D')
		ret = detach(nl, job);
	else if (job->act == 'R')
		ret = check_removed(nl, job);
	else if (job->act == 'f')
		ret = print_unused(nl);
	else
		ret = list(nl, job);
	dimg_nl_close(nl);
	return ret;
}
