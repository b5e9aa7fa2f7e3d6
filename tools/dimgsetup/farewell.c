// SPDX-License-Identifier: GPL-2.0
/*
 * farewell.c - owns the question how a device ended that went by itself: whether its
 * last sync succeeded. Nobody gets an answer to a request for that; the event of the
 * detach tells, to who listens before it happens.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "dimgsetup.h"

/* The event comes a moment after the node is gone, once the image is synced. */
#define EVENT_LIMIT_US		(10 * 1000000ULL)

/* One device that has gone. */
struct end {
	uint32_t index;
	uint64_t diskseq;
	int32_t error;
};

/**
 * struct dimg_farewell - a listener
 * @v: the ends that were heard of
 */
struct dimg_farewell {
	struct dimg_nl *nl;
	struct end *v;
	size_t n;
};

/**
 * dimg_farewell_begin - listen, before the devices go that are to be asked about
 *
 * Return: the listener, for dimg_farewell_end(); NULL if that cannot be.
 */
struct dimg_farewell *dimg_farewell_begin(void)
{
	struct dimg_farewell *f = calloc(1, sizeof(*f));
	struct dimg_error e = { .err = ENOMEM };

	/* a socket of its own: events would get between requests and answers */
	if (f && !dimg_nl_open(&f->nl, &e) && !dimg_nl_subscribe(f->nl, &e))
		return f;
	dimg_note(NULL, "no events can be had, so nobody will tell of the last sync: %s",
		  *e.text ? e.text : "no memory");
	dimg_farewell_end(f);
	return NULL;
}

static void remember(const struct dimg_device *ev, void *arg)
{
	struct dimg_farewell *f = arg;
	struct end *v;

	if (ev->event != DIMGBLK_EVENT_DETACH)
		return;
	v = reallocarray(f->v, f->n + 1, sizeof(*v));
	if (!v)
		return;
	f->v = v;
	v[f->n++] = (struct end){ ev->index, ev->diskseq, ev->error };
}

static const struct end *find_end(const struct dimg_farewell *f,
				  const struct dimg_device *dev)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (f->v[i].index == dev->index && f->v[i].diskseq == dev->diskseq)
			return &f->v[i];
	return NULL;
}

/* Wait for word of the device; NULL if there is none in time. */
static const struct end *wait_end(struct dimg_farewell *f,
				  const struct dimg_device *dev)
{
	struct pollfd p = { .fd = dimg_nl_event_fd(f->nl), .events = POLLIN };
	uint64_t now_us = dimg_now_us(), deadline_us = now_us + EVENT_LIMIT_US;
	const struct end *end = find_end(f, dev);
	struct dimg_error e;
	int ret = 0;

	/* lost events: those that are still to come may be the one */
	while (!end && now_us < deadline_us && (!ret || ret == -ENOBUFS)) {
		if (poll(&p, 1, (deadline_us - now_us) / 1000 + 1) > 0)
			ret = dimg_nl_next_events(f->nl, remember, f, &e);
		end = find_end(f, dev);
		now_us = dimg_now_us();
	}
	return end;
}

/**
 * dimg_farewell_report - say how a device ended
 * @dev: a device that is gone
 *
 * Return: 0 if its last sync succeeded; else an exit code after the reason has been
 * printed, as for a detach that was asked for.
 */
int dimg_farewell_report(struct dimg_farewell *f, const struct dimg_device *dev)
{
	const struct end *end = wait_end(f, dev);
	char node[DIMG_NODE_LEN];
	struct dimg_error e;
	int err;

	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	if (!end) {
		dimg_say(node,
			 "is gone, but whether its last sync succeeded is not known\n"
			 "Check the image before it is used; \"dmesg\" tells of errors of the storage below.");
		return DIMG_EXIT_KERNEL;
	}
	if (!end->error)
		return DIMG_EXIT_OK;
	/* a file system may have any errno: others would say what is not so */
	err = -end->error;
	dimg_error_set(&e, err == ENOSPC || err == EDQUOT ? err : EIO,
		       "detached, but the last sync failed (errno %d): recent writes may be lost",
		       err);
	return dimg_fail_detach(node, &e, NULL);
}

/* dimg_farewell_end - NULL is allowed. */
void dimg_farewell_end(struct dimg_farewell *f)
{
	if (!f)
		return;
	dimg_nl_close(f->nl);
	free(f->v);
	free(f);
}
