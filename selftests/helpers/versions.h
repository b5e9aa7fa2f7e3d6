/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What each sector of a device may hold, for unsure.c: the versions written to it that
 * a failure may have kept from it or left in it, oldest first. Owns what is learned of
 * them from writes and flushes, not where the bytes come from.
 */
#ifndef DIMGBLK_SELFTEST_VERSIONS_H
#define DIMGBLK_SELFTEST_VERSIONS_H

#include <string.h>

#include <linux/types.h>

#include "io.h"

#define NR_VERSIONS	6
/* What a hole and a discarded sector hold; no write has this number. */
#define ZEROS		0

/*
 * The versions, oldest first. Those before the one that was acknowledged last are
 * out of the question once a flush says so.
 */
struct sector {
	__u32 versions[NR_VERSIONS];
	__u8 nr;
	__u8 acked;		/* number of the version acknowledged last, from 1 */
};

struct state {
	__u64 len;
	__u32 last;		/* version */
	struct sector sectors[];
};

static struct state *state;

static struct sector *sector_at(__u64 pos)
{
	return &state->sectors[pos / SECTOR];
}

static void add_version(__u64 pos, __u64 end, __u32 version, int acked)
{
	struct sector *s;

	for (; pos < end; pos += SECTOR) {
		s = sector_at(pos);
		s->versions[s->nr++] = version;
		if (acked)
			s->acked = s->nr;
	}
}

static void only_version(__u64 pos, __u64 end, __u32 version)
{
	for (; pos < end; pos += SECTOR)
		*sector_at(pos) = (struct sector) { .versions = { version }, .nr = 1 };
}

static void flushed(int ok)
{
	struct sector *s = state->sectors;
	int gone;

	for (; s < state->sectors + state->len / SECTOR; s++) {
		gone = ok && s->acked ? s->acked - 1 : 0;
		s->nr -= gone;
		memmove(s->versions, s->versions + gone,
			s->nr * sizeof(s->versions[0]));
		s->acked = 0;
	}
}

/* A flush says nothing of what was acknowledged here. */
static void forget(__u64 pos, __u64 end)
{
	for (; pos < end; pos += SECTOR)
		sector_at(pos)->acked = 0;
}

/* Is there room to remember one more version of all? */
static int room(__u64 pos, __u64 end)
{
	for (; pos < end; pos += SECTOR)
		if (sector_at(pos)->nr == NR_VERSIONS)
			return 0;
	return 1;
}

#endif /* DIMGBLK_SELFTEST_VERSIONS_H */
