// SPDX-License-Identifier: GPL-2.0
/*
 * Crash: the states in which a power cut leaves a disk with a volatile cache.
 *
 * Owns the rule. Durable is a write that was acknowledged before a flush began
 * that has ended, or that was acknowledged with FUA. Of the others each may be
 * lost, reach the medium whole, or be torn at 512-byte sectors. They are applied
 * in order: a disk that reorders them leaves in a sector what one of them, or
 * none, wrote there, and a random subset in order does so, too.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"

#define SECTOR	512

static const unsigned char zeros[1 << 16];

/* splitmix64: each number gives one that looks unrelated. */
uint64_t power_mix(uint64_t x)
{
	x += 0x9e3779b97f4a7c15ULL;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static void apply_piece(const struct power_event *event, uint64_t start,
			uint64_t len, power_apply_fn *apply, void *arg)
{
	const unsigned char *data = (const unsigned char *)(event + 1);
	size_t n;

	if (event->type == POWER_WRITE) {
		apply(arg, event->off + start, data + start, len);
		return;
	}
	for (; len; start += n, len -= n) {
		n = len < sizeof(zeros) ? len : sizeof(zeros);
		apply(arg, event->off + start, zeros, n);
	}
}

/* Sector by sector, or only up to or from one of them. */
static void apply_torn(const struct power_event *event, uint64_t seed,
		       power_apply_fn *apply, void *arg)
{
	uint64_t sectors = (event->len + SECTOR - 1) / SECTOR;
	uint64_t edge = power_mix(seed) % (sectors + 1);
	unsigned int kind = power_mix(seed + 1) % 3;
	uint64_t i, start, len;
	bool there;

	for (i = 0; i < sectors; i++) {
		there = kind == 0 ? i < edge : kind == 1 ? i >= edge :
			power_mix(seed + 2 + i) & 1;
		start = i * SECTOR;
		len = event->len - start < SECTOR ? event->len - start : SECTOR;
		if (there)
			apply_piece(event, start, len, apply, arg);
	}
}

/*
 * Call @apply for what of the pending writes reaches the medium if the power
 * goes now. @seed decides; one in eight states has all of them, one has none.
 */
void power_crash(const struct power_walk *walk, uint64_t seed,
		 power_apply_fn *apply, void *arg)
{
	static const unsigned int survive_of_16[] = {
		0, 16, 1, 2, 8, 8, 14, 15
	};
	uint64_t draw = power_mix(seed ^ 0x706f776572ULL);
	unsigned int survive = survive_of_16[draw % 8];
	unsigned int torn = draw >> 8 & 1 ? 4 : 0;
	size_t i;

	for (i = 0; i < walk->nr_pending; i++) {
		draw = power_mix(seed + power_mix(i));
		if (!walk->pending[i].fua && draw % 16 >= survive)
			continue;
		if (!walk->pending[i].fua && survive < 16 && (draw >> 8) % 16 < torn)
			apply_torn(walk->pending[i].event, draw, apply, arg);
		else
			apply_piece(walk->pending[i].event, 0,
				    walk->pending[i].event->len, apply, arg);
	}
}

static void apply_to_image(void *arg, uint64_t off, const void *data, size_t len)
{
	struct power_walk *walk = arg;

	memcpy(walk->image + off, data, len);
}

static void make_durable(struct power_walk *walk, size_t i)
{
	const struct power_event *event = walk->pending[i].event;

	apply_piece(event, 0, event->len, apply_to_image, walk);
}

/* All that was acknowledged before event number @before leaves the list. */
static void flush(struct power_walk *walk, uint64_t before)
{
	size_t i, kept = 0;

	if (walk->lying) {
		walk->lost_flushes++;
		return;
	}
	for (i = 0; i < walk->nr_pending; i++) {
		if (walk->pending[i].done && walk->pending[i].done <= before)
			make_durable(walk, i);
		else
			walk->pending[kept++] = walk->pending[i];
	}
	walk->nr_pending = kept;
}

/*
 * A FUA write is durable when it is acknowledged. It stays in the list, so that
 * what came before it to the same place cannot come after it.
 */
static void done(struct power_walk *walk, uint64_t id)
{
	struct power_pending *p;

	for (p = walk->pending + walk->nr_pending; p-- > walk->pending;) {
		if (p->event->id != id)
			continue;
		p->done = walk->seq;
		p->fua = p->event->flags & POWER_FUA && !walk->lying;
		return;
	}
}

static void pend(struct power_walk *walk, const struct power_event *event)
{
	if (event->off + event->len > walk->size) {
		fprintf(stderr, "a write beyond the end of the disk\n");
		exit(2);
	}
	if (walk->nr_pending == walk->max_pending) {
		walk->max_pending = walk->max_pending * 2 + 64;
		walk->pending = realloc(walk->pending, walk->max_pending *
					sizeof(*walk->pending));
		if (!walk->pending)
			abort();
	}
	walk->pending[walk->nr_pending++] = (struct power_pending) {
		.event = event,
	};
}

/* The next event, or NULL at the end; a last one that is not whole is no event. */
const struct power_event *power_next(const struct power_walk *walk)
{
	const struct power_event *event = (const void *)walk->at;
	size_t left = walk->end - walk->at;

	if (left < sizeof(*event) || left - sizeof(*event) < event->data_len)
		return NULL;
	return event;
}

/* Go on by one event. Return: it, or NULL at the end. */
const struct power_event *power_step(struct power_walk *walk)
{
	const struct power_event *event = power_next(walk);

	if (!event)
		return NULL;
	walk->at += sizeof(*event) + ((event->data_len + 7) & ~7U);
	walk->seq++;
	switch (event->type) {
	case POWER_WRITE:
	case POWER_ZERO:
		pend(walk, event);
		break;
	case POWER_DONE:
		done(walk, event->id);
		break;
	case POWER_FLUSH:
		flush(walk, event->id);
		break;
	case POWER_ACK:
		if (event->id < POWER_MAX_THREADS)
			walk->acks.batch[event->id] = event->off;
		break;
	case POWER_THREADS:
		walk->acks.threads = event->id;
		walk->acks.seed = event->off;
		walk->acks.area = event->len;
		break;
	}
	return event;
}

static void *map_file(const char *name, const char *suffix, int prot, size_t *size)
{
	char path[4096];
	struct stat st;
	void *p;
	int fd;

	snprintf(path, sizeof(path), "%s%s", name, suffix);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) || !st.st_size) {
		perror(path);
		return NULL;
	}
	*size = st.st_size;
	p = mmap(NULL, st.st_size, prot, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p != MAP_FAILED)
		return p;
	perror(path);
	return NULL;
}

/* Begin at the start of the log NAME.log, on a private copy of NAME.base. */
bool power_open(struct power_walk *walk, const char *name)
{
	size_t len;

	*walk = (struct power_walk) {};
	walk->at = map_file(name, ".log", PROT_READ, &len);
	if (!walk->at)
		return false;
	walk->start = walk->at;
	walk->end = walk->at + len;
	walk->image = map_file(name, ".base", PROT_READ | PROT_WRITE, &walk->size);
	if (walk->image)
		return true;
	munmap((void *)walk->start, len);
	return false;
}

void power_close(struct power_walk *walk)
{
	munmap((void *)walk->start, walk->end - walk->start);
	munmap(walk->image, walk->size);
	free(walk->pending);
}
