/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The records of the power-cut campaign: what thread T writes in batch B follows
 * from a seed, so that whoever knows which batch was acknowledged last can tell
 * what each sector must hold. Used by the writer and checker in the guest
 * (records.c) and by the checker of crash states on the host (vm/power/replay.c).
 *
 * Each thread has an area of its own. A batch is up to eight ranges of sectors; it
 * is durable as a whole when it was acknowledged, and the next one is not begun
 * before. A sector tells thread, place and batch in each of its bytes.
 */
#ifndef DIMGBLK_SELFTEST_RECORDS_H
#define DIMGBLK_SELFTEST_RECORDS_H

#include <stdbool.h>

#include "io.h"

/* How a thread writes and what makes its batch durable; thread number modulo 3. */
enum { RECORDS_BUFFERED_FSYNC, RECORDS_DIRECT_FDATASYNC, RECORDS_DIRECT_DSYNC };

#define RECORDS_MAX_RANGES	8
#define RECORDS_MAX_SECTORS	32
#define RECORDS_WORDS		(SECTOR / 8)

struct records_range {
	unsigned int start;		/* sectors */
	unsigned int nr;
	bool zero;			/* a hole is made of it */
};

/* What a sector holds: 0 zeros, else the number of the batch. */
struct records_sector {
	__u64 is;
	__u64 may_be[RECORDS_MAX_RANGES];	/* by the batch after the last one */
	unsigned int nr_may_be;
};

static inline __u64 records_draw(__u64 seed, unsigned int thread, __u64 batch,
				 unsigned int n)
{
	return mix64(mix64(seed + thread * 0x9e3779b97f4a7c15ULL + batch) + n + 1);
}

/*
 * The ranges of a batch; one of zeros now and then if @zeroes. A batch of the
 * DSYNC thread is one write, a FUA write then, and never makes a hole.
 */
static inline unsigned int records_batch(struct records_range *r, __u64 seed,
					 unsigned int thread, __u64 batch,
					 unsigned int sectors, bool zeroes)
{
	unsigned int n, i, kind = thread % 3;
	__u64 d = records_draw(seed, thread, batch, 0);

	n = kind == RECORDS_DIRECT_DSYNC ? 1 : 1 + d % RECORDS_MAX_RANGES;
	for (i = 0; i < n; i++, r++) {
		d = records_draw(seed, thread, batch, i + 1);
		r->nr = 1 + d % RECORDS_MAX_SECTORS;
		r->start = (d >> 16) % (sectors - r->nr + 1);
		r->zero = zeroes && kind != RECORDS_DIRECT_DSYNC &&
			  (d >> 48) % 8 == 0;
	}
	return n;
}

/* The bytes of one sector. */
static inline void records_fill(__u64 *words, __u64 seed, unsigned int thread,
				unsigned int sector, __u64 batch)
{
	__u64 key = mix64(seed ^ ((__u64)thread << 32 | sector)) ^ batch;
	unsigned int i;

	words[0] = batch;
	for (i = 1; i < RECORDS_WORDS; i++)
		words[i] = mix64(key + i * 0x9e3779b97f4a7c15ULL);
}

/* What each sector of a thread's area must be when @last was acknowledged. */
static inline void records_expect(struct records_sector *sectors, unsigned int nr,
				  __u64 seed, unsigned int thread, __u64 last,
				  bool zeroes)
{
	struct records_range r[RECORDS_MAX_RANGES];
	unsigned int n, i, s;
	__u64 b;

	memset(sectors, 0, nr * sizeof(*sectors));
	for (b = 1; b <= last + 1; b++) {
		n = records_batch(r, seed, thread, b, nr, zeroes);
		for (i = 0; i < n; i++)
			for (s = r[i].start; s < r[i].start + r[i].nr; s++) {
				struct records_sector *p = &sectors[s];
				__u64 v = r[i].zero ? 0 : b;

				if (b <= last)
					p->is = v;
				else
					p->may_be[p->nr_may_be++] = v;
			}
	}
}

/* Which batch wrote these bytes: 0 none, they are zero; -1 foreign bytes. */
static inline __s64 records_identify(const __u64 *words, __u64 seed,
				     unsigned int thread, unsigned int sector)
{
	__u64 want[RECORDS_WORDS] = {};

	if (words[0])
		records_fill(want, seed, thread, sector, words[0]);
	return memcmp(words, want, SECTOR) ? -1 : (__s64)words[0];
}

/*
 * Compare one sector. Return: 0 as it must be, 1 an acknowledged record is lost,
 * 2 bytes that nobody wrote there; told on stderr unless @quiet.
 */
static inline int records_compare(const struct records_sector *p, const __u64 *words,
				  __u64 seed, unsigned int thread,
				  unsigned int sector, bool quiet)
{
	__s64 is = records_identify(words, seed, thread, sector);
	unsigned int i;

	if (is == (__s64)p->is)
		return 0;
	for (i = 0; i < p->nr_may_be; i++)
		if (is == (__s64)p->may_be[i])
			return 0;
	if (!quiet && is < 0)
		fprintf(stderr, "thread %u sector %u: foreign bytes %016llx..., batch %llu was acknowledged\n",
			thread, sector, (unsigned long long)words[1],
			(unsigned long long)p->is);
	else if (!quiet)
		fprintf(stderr, "thread %u sector %u: batch %lld, but batch %llu was acknowledged\n",
			thread, sector, (long long)is, (unsigned long long)p->is);
	return is < 0 ? 2 : 1;
}

#endif /* DIMGBLK_SELFTEST_RECORDS_H */
