/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The log of a disk with a volatile write cache: what was written to it, what
 * was flushed, and what the writer in the guest said was acknowledged, in the
 * order in which it happened. disk.c writes it; crash.c makes of it the states
 * in which a power cut can leave the disk. A file of events, each followed by
 * its data, next to a file with the contents that the disk began with.
 */
#ifndef DIMGBLK_POWER_EVENTS_H
#define DIMGBLK_POWER_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum power_event_type {
	POWER_WRITE = 1,	/* received; @id is new; data follow */
	POWER_ZERO,		/* the same, of zeros, without data */
	POWER_DONE,		/* write @id is about to be acknowledged */
	POWER_FLUSH,		/* ended; it began when there were @id events */
	POWER_ACK,		/* thread @id: batch @off is durable, it was told */
	POWER_MOMENT,		/* the power might as well have gone now */
	POWER_CUT,		/* the power has gone: the guest was killed */
	POWER_MAP,		/* byte @off of the image is at @id on the disk */
	POWER_THREADS,		/* @id writers, seed @off, @len bytes each */
};

#define POWER_FUA	1	/* durable when acknowledged */

struct power_event {
	uint32_t type;
	uint32_t flags;
	uint64_t id;
	uint64_t off;
	uint32_t len;
	uint32_t data_len;
};

#define POWER_MAX_THREADS	8

/* What is known to the writers at some point of the log. */
struct power_acks {
	uint64_t batch[POWER_MAX_THREADS];
	unsigned int threads;
	uint64_t seed;
	uint32_t area;
};

/* A write that a power cut may lose. */
struct power_pending {
	const struct power_event *event;
	uint64_t done;			/* number of its POWER_DONE, or 0 */
	bool fua;			/* on the medium, cannot be lost */
};

/* A walk along a log. */
struct power_walk {
	const char *start;
	const char *at;
	const char *end;
	uint64_t seq;			/* events so far */
	unsigned char *image;		/* what is durable */
	size_t size;
	struct power_pending *pending;	/* the rest, in order */
	size_t nr_pending;
	size_t max_pending;
	struct power_acks acks;
	uint64_t lost_flushes;		/* with @lying: flushes not obeyed */
	bool lying;			/* a disk that ignores flush and FUA */
};

/* A piece of a pending write that reaches the medium. */
typedef void power_apply_fn(void *arg, uint64_t off, const void *data,
			    size_t len);

uint64_t power_mix(uint64_t x);
const struct power_event *power_next(const struct power_walk *walk);
const struct power_event *power_step(struct power_walk *walk);
void power_crash(const struct power_walk *walk, uint64_t seed,
		 power_apply_fn *apply, void *arg);
bool power_open(struct power_walk *walk, const char *name);
void power_close(struct power_walk *walk);

#endif /* DIMGBLK_POWER_EVENTS_H */
