// SPDX-License-Identifier: GPL-2.0
/*
 * unmounting.c - owns the umount of what the command umount has chosen, and the
 * word about the devices behind it.
 *
 * A device that was made for its mount detaches itself; it is waited for, what
 * keeps it is named, and how it ended is told. One that was attached by hand stays.
 */
#include <errno.h>
#include <libmount.h>
#include <stdlib.h>
#include <time.h>

#include "dimgsetup.h"

/* How long a device that detaches itself is waited for. */
#define GONE_LIMIT_US		(3 * 1000000ULL)
#define GONE_POLL_NS		10000000L

static int fail_umount(const struct dimg_umount *job, const struct dimg_mounted *m,
		       int err, const char *text)
{
	struct dimg_holders h = { 0 };
	struct dimg_error e;
	int ret;

	dimg_error_set(&e, err ? err : EIO, "%s", err == EBUSY ?
		       "the file system is in use" : text);
	if (err != EBUSY)
		return dimg_fail(m->target, &e);
	dimg_fsusers_find(&job->mounts, m, &h);
	ret = dimg_fail_busy(m->target, &e, &h);
	dimg_holders_free(&h);
	return ret;
}

static int umount_one(const struct dimg_umount *job, const struct dimg_mounted *m)
{
	struct libmnt_context *cxt = mnt_new_context();
	struct dimg_error e;
	char text[512] = "";
	int rc, err;

	if (!cxt || mnt_context_set_target(cxt, m->target)) {
		mnt_free_context(cxt);
		dimg_error_set(&e, ENOMEM, "%s", "");
		return dimg_fail(m->target, &e);
	}
	mnt_context_enable_lazy(cxt, job->lazy);
	rc = mnt_context_umount(cxt);
	if (rc || mnt_context_get_status(cxt) != 1) {
		mnt_context_get_excode(cxt, rc, text, sizeof(text));
		err = mnt_context_syscall_called(cxt) ?
			mnt_context_get_syscall_errno(cxt) : rc < 0 ? -rc : EIO;
		mnt_free_context(cxt);
		return fail_umount(job, m, err, text);
	}
	mnt_free_context(cxt);
	dimg_note(m->target, "%s is unmounted", m->source);
	return 0;
}

/* Does the device still exist, it and no successor of its number? */
static bool is_there(const struct dimg_device *dev)
{
	unsigned long long diskseq = 0;
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/sys/block/" DIMG_NODE_PREFIX "%u/diskseq",
		 dev->index);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (fscanf(f, "%llu", &diskseq) != 1)
		diskseq = 0;
	fclose(f);
	return diskseq == dev->diskseq;
}

static bool wait_gone(const struct dimg_device *dev)
{
	const struct timespec pause = { .tv_nsec = GONE_POLL_NS };
	uint64_t deadline_us = dimg_now_us() + GONE_LIMIT_US;

	while (is_there(dev)) {
		if (dimg_now_us() > deadline_us)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* Is another mount of this device left, which nobody asked to unmount? */
static const struct dimg_mounted *find_rest(const struct dimg_umount *job, size_t device)
{
	size_t i;

	for (i = 0; i < job->mounts.n; i++)
		if (!job->chosen[i] && job->of[i] == (int)device)
			return &job->mounts.v[i];
	return NULL;
}

/*
 * What became of a device whose mounts were unmounted. That it is still there is
 * a failure only if it should have gone, and the device was meant; that it could not
 * write out the image always is.
 */
static int tell_rest(const struct dimg_umount *job, size_t device,
		     struct dimg_farewell *farewell)
{
	const struct dimg_device *dev = &job->all.v[device];
	const struct dimg_mounted *rest = find_rest(job, device);
	char node[DIMG_NODE_LEN];
	struct dimg_holders h;
	struct dimg_error e;
	int ret;

	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	if (rest) {
		dimg_say(node, "stays attached: it is mounted on %s, too", rest->target);
		return 0;
	}
	if (!(dev->flags & DIMGBLK_FLAG_AUTO_DETACH)) {
		dimg_say(node, "stays attached, as it was attached by hand; \"dimgsetup detach %s\" removes it",
			 node);
		return 0;
	}
	if (job->lazy && is_there(dev)) {
		dimg_say(node, "goes when nobody uses it any more; \"dimgsetup show %s\" tells who does",
			 node);
		return 0;
	}
	if (wait_gone(dev))
		return farewell ? dimg_farewell_report(farewell, dev) : 0;
	dimg_error_set(&e, EBUSY, "is unmounted, but in use all the same");
	dimg_holders_find(dev->major, dev->minor, &h);
	ret = dimg_fail_busy(node, &e, &h);
	dimg_holders_free(&h);
	return job->whole[device] ? ret : 0;
}

/* Unmount what was chosen, newest first; @touched gets the devices. */
static int umount_chosen(struct dimg_umount *job, bool *touched)
{
	int ret = 0, one;
	size_t i;

	for (i = job->mounts.n; i-- > 0;) {
		if (!job->chosen[i])
			continue;
		one = umount_one(job, &job->mounts.v[i]);
		if (!one)
			touched[job->of[i]] = true;
		else
			/* of its device there is no more to say */
			job->chosen[i] = false;
		if (!ret)
			ret = one;
	}
	return ret;
}

/**
 * dimg_umount_run - unmount what is chosen
 *
 * Return: 0, or the exit code of the first failure; all have been reported.
 */
int dimg_umount_run(struct dimg_umount *job)
{
	struct dimg_parting **partings = calloc(job->all.n + 1, sizeof(*partings));
	struct dimg_farewell *farewell = dimg_farewell_begin();
	bool *touched = calloc(job->all.n + 1, sizeof(*touched));
	struct dimg_error e;
	int ret, one;
	size_t i;

	dimg_error_set(&e, ENOMEM, "%s", "");
	ret = partings && touched ? 0 : dimg_fail(NULL, &e);
	for (i = 0; !ret && i < job->mounts.n; i++)
		if (job->chosen[i] && !partings[job->of[i]])
			partings[job->of[i]] =
				dimg_parting_begin(&job->all.v[job->of[i]]);
	if (!ret)
		ret = umount_chosen(job, touched);
	for (i = 0; partings && touched && i < job->all.n; i++) {
		one = touched[i] ? tell_rest(job, i, farewell) : 0;
		if (!ret)
			ret = one;
		dimg_parting_end(partings[i], !is_there(&job->all.v[i]));
	}
	dimg_farewell_end(farewell);
	free(partings);
	free(touched);
	return ret;
}
