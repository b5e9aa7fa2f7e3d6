/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the helpers that move bytes share: bytes that tell where they belong
 * (each depends on a seed and on its position, so that a block in the wrong
 * place, an old one or a foreign one is seen), sizes with a suffix, and aligned
 * memory.
 */
#ifndef DIMGBLK_SELFTEST_IO_H
#define DIMGBLK_SELFTEST_IO_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/types.h>

#define SECTOR	512
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

static inline __u64 mix64(__u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ULL;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The bytes that belong at @pos; never zero, so that a hole is no match. */
static inline void pattern_fill(unsigned char *buf, size_t len, __u64 seed,
				__u64 pos)
{
	__u64 word = 0;
	size_t i;

	for (i = 0; i < len; i++, pos++) {
		if (!i || !(pos % 8))
			word = mix64(seed * 0x9e3779b97f4a7c15ULL + pos / 8);
		buf[i] = (unsigned char)(word >> (pos % 8 * 8)) | 1;
	}
}

/* 4K, 3M, 1G, 0x200, 12: bytes. */
static inline __u64 parse_size(const char *s)
{
	char *end;
	__u64 v = strtoull(s, &end, 0);

	for (; *end && strchr("KMGT", *end) && !end[1]; end++)
		v <<= 10 * (1 + (int)(strchr("KMGT", *end) - "KMGT"));
	if (*end) {
		fprintf(stderr, "'%s' is not a size\n", s);
		exit(2);
	}
	return v;
}

static inline void *aligned_buffer(size_t len)
{
	void *p = aligned_alloc(4096, (len + 4095) & ~4095UL);

	if (!p) {
		fprintf(stderr, "no memory for %zu bytes\n", len);
		exit(2);
	}
	return p;
}

#endif /* DIMGBLK_SELFTEST_IO_H */
