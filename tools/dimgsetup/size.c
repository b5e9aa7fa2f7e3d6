// SPDX-License-Identifier: GPL-2.0
/*
 * size.c - owns the argument SIZE of create and resize: what an image may have,
 * and what +SIZE and -SIZE make of the size it has.
 *
 * A size that is no multiple of 512 is refused, not rounded: a device has whole
 * sectors, and the bytes after the last one would be lost to it.
 */
#include <errno.h>
#include <string.h>

#include "dimgsetup.h"

/* The largest multiple of a sector that an off_t holds */
#define SIZE_MAX_BYTES	((uint64_t)INT64_MAX - DIMG_SECTOR_SIZE + 1)

/* Read a plain size that an image may have; 0 or an exit code. */
static int parse_plain(const char *arg, const char *s, uint64_t *bytes)
{
	int ret;
	uint64_t n;
	unsigned long long below;

	ret = dimg_parse_size(s, &n);
	if (ret == -ERANGE || (!ret && n > SIZE_MAX_BYTES))
		return dimg_usage_error("the size \"%s\" is larger than any file", arg);
	if (ret)
		return dimg_usage_error("\"%s\" is no size, such as 40G, 512M or 1000000000", arg);
	if (!n)
		return dimg_usage_error("the size is 0; the smallest one is 512");
	below = n - n % DIMG_SECTOR_SIZE;
	if (n != below)
		return dimg_usage_error("the size %llu is no multiple of 512; the next ones are %llu and %llu",
					(unsigned long long)n, below,
					below + DIMG_SECTOR_SIZE);
	*bytes = n;
	return 0;
}

/**
 * dimg_size_parse - read the size of a new image
 * @bytes: set on success only
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_size_parse(const char *arg, uint64_t *bytes)
{
	return parse_plain(arg, arg, bytes);
}

/**
 * dimg_size_change_parse - read a new size, or a difference with + or -
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_size_change_parse(const char *arg, struct dimg_size_change *c)
{
	const char *s = arg;

	c->sign = *s == '+' || *s == '-' ? *s++ : 0;
	return parse_plain(arg, s, &c->bytes);
}

/**
 * dimg_size_change_apply - what a change makes of a size
 * @old: bytes that the image has; need not be whole sectors
 * @bytes: set on success only
 *
 * Return: 0, or -ERANGE if nothing or too much would be left.
 */
int dimg_size_change_apply(const struct dimg_size_change *c, uint64_t old,
			   uint64_t *bytes)
{
	uint64_t n = c->bytes;

	if (c->sign == '+' &&
	    (__builtin_add_overflow(old, c->bytes, &n) || n > SIZE_MAX_BYTES))
		return -ERANGE;
	if (c->sign == '-' && __builtin_sub_overflow(old, c->bytes, &n))
		return -ERANGE;
	n -= n % DIMG_SECTOR_SIZE;
	if (!n)
		return -ERANGE;
	*bytes = n;
	return 0;
}
