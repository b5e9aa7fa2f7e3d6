// SPDX-License-Identifier: GPL-2.0
/*
 * ioerror.c - owns the words for requests that failed, as show and list tell
 * them. The kernel sends numbers; nothing here asks it or changes anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dimgsetup.h"

/* Local time with its zone, as in ISO 8601: what the journal can be searched for. */
static void time_text(uint64_t ns, char *buf, size_t len)
{
	time_t t = ns / 1000000000;
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(buf, len, "%FT%T%z", &tm))
		snprintf(buf, len, "?");
}

/* "write of 4096 bytes at 8192", "flush". A newer kernel may know more kinds. */
static int op_text(const struct dimg_io_error *e, char *buf, size_t len)
{
	static const char * const words[] = {
		[DIMGBLK_IO_OP_READ] = "read",
		[DIMGBLK_IO_OP_WRITE] = "write",
		[DIMGBLK_IO_OP_FLUSH] = "flush",
		[DIMGBLK_IO_OP_DISCARD] = "discard",
		[DIMGBLK_IO_OP_WRITE_ZEROES] = "zeroing",
	};
	const char *word = "request";

	if (e->op < sizeof(words) / sizeof(*words))
		word = words[e->op];
	if (e->op == DIMGBLK_IO_OP_FLUSH)
		return snprintf(buf, len, "%s", word);
	return snprintf(buf, len, "%s of %u bytes at %llu", word, e->length,
			(unsigned long long)e->pos);
}

/**
 * dimg_io_error_text - one failed request as a sentence
 *
 * Return: a string to be freed; NULL without memory.
 */
char *dimg_io_error_text(const struct dimg_io_error *e)
{
	const char *name = strerrorname_np(-e->error);
	char when[64], what[96], *s;

	time_text(e->time, when, sizeof(when));
	op_text(e, what, sizeof(what));
	if (asprintf(&s, "%s %s: %s (%s)", when, what, name ? name : "?",
		     strerror(-e->error)) < 0)
		return NULL;
	return s;
}

/* The cells of list; empty when nothing failed, or the module is too old to say. */
static int cell_error(const struct dimg_device *dev, int attr,
		      const struct dimg_io_error *e, char **s)
{
	*s = NULL;
	if (!dimg_device_knows(dev, attr))
		return 0;
	*s = dimg_io_error_text(e);
	return *s ? 0 : -ENOMEM;
}

int dimg_cell_errors(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	*s = NULL;
	if (!dimg_device_knows(dev, DIMGBLK_A_ERROR_COUNT))
		return 0;
	return asprintf(s, "%llu", (unsigned long long)dev->error_count) < 0 ?
		-ENOMEM : 0;
}

int dimg_cell_first_error(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return cell_error(dev, DIMGBLK_A_FIRST_ERROR, &dev->first_error, s);
}

int dimg_cell_last_error(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return cell_error(dev, DIMGBLK_A_LAST_ERROR, &dev->last_error, s);
}
