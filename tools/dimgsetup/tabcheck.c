// SPDX-License-Identifier: GPL-2.0
/*
 * tabcheck.c - owns what lines of /etc/dimgtab must not do together: have the
 * same name, the same number, or write to the same bytes.
 *
 * The kernel refuses all of these at attach; here they are found before the
 * first attach, and with both lines named. Bytes that only a partition table
 * can tell (part=) are left to the kernel.
 */
#include <string.h>
#include <sys/stat.h>

#include "dimgtab.h"

/* The same file, by whatever path; one that is not there yet, by its path. */
static bool same_image(const char *a, const char *b, bool by_path)
{
	struct stat x, y;

	if (!strcmp(a, b))
		return true;
	if (by_path || stat(a, &x) || stat(b, &y))
		return false;
	if (S_ISBLK(x.st_mode) && S_ISBLK(y.st_mode))
		return x.st_rdev == y.st_rdev;
	return x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* First byte behind the range; the end of the image is no number here. */
static uint64_t range_end(const struct dimg_request *r)
{
	uint64_t end;

	if (!r->size_limit ||
	    __builtin_add_overflow(r->offset, r->size_limit, &end))
		return UINT64_MAX;
	return end;
}

static bool share_bytes(const struct dimg_attach *a, const struct dimg_attach *b)
{
	/* two partitions: the same one, or the kernel will see */
	if (a->part && b->part)
		return !strcmp(a->part, b->part);
	/* a partition and a range: sure only if the range is all of it */
	if (a->part || b->part) {
		const struct dimg_request *r = a->part ? &b->req : &a->req;

		return !r->offset && !r->size_limit;
	}
	return a->req.offset < range_end(&b->req) &&
	       b->req.offset < range_end(&a->req);
}

/* The kernel asks the later one whether it may. */
static bool may_overlap(const struct dimg_attach *first,
			const struct dimg_attach *later)
{
	return (first->req.flags & later->req.flags & DIMGBLK_FLAG_READ_ONLY) ||
	       (later->req.flags & DIMGBLK_FLAG_ALLOW_OVERLAP);
}

/* Say what is wrong with @b after @a; false if nothing is. */
static bool tell_conflict(const struct dimg_tab *tab,
			  const struct dimg_tab_entry *a,
			  const struct dimg_tab_entry *b)
{
	const uint64_t index = UINT64_C(1) << DIMGBLK_A_INDEX;
	bool found = true;

	dimg_tab_where(tab, b);
	if (!strcmp(a->name, b->name))
		dimg_say(NULL, "the name \"%s\" is taken by line %u\n"
			 "Give each device a name of its own.", b->name, a->line);
	else if (a->attach.req.given & b->attach.req.given & index &&
		 a->attach.req.index == b->attach.req.index)
		dimg_say(NULL, "\"%s\" asks for the same index as line %u\n"
			 "Give each device a number of its own, or none.",
			 b->name, a->line);
	else if (same_image(a->attach.path, b->attach.path, tab->by_path) &&
		 share_bytes(&a->attach, &b->attach) &&
		 !may_overlap(&a->attach, &b->attach))
		dimg_say(NULL, "\"%s\" and line %u share bytes of an image, and one writes\n"
			 "Choose ranges that do not overlap, say \"ro\" in both lines,\n"
			 "or \"allow-overlap\" in this one.", b->name, a->line);
	else
		found = false;
	dimg_context[0] = '\0';
	return found;
}

/**
 * dimg_tab_check - mark and report lines that contradict each other
 *
 * By path alone, some are left to the kernel (two paths of one file).
 *
 * Both are bad then: which of them is meant is the administrator's to say.
 */
void dimg_tab_check(struct dimg_tab *tab)
{
	size_t i, j;

	for (i = 0; i < tab->n; i++) {
		struct dimg_tab_entry *b = &tab->v[i];

		for (j = 0; j < i; j++) {
			struct dimg_tab_entry *a = &tab->v[j];

			/* a line that was not understood asks for nothing */
			if (!a->attach.path || !b->attach.path)
				continue;
			if (!tell_conflict(tab, a, b))
				continue;
			tab->n_bad += !a->bad + !b->bad;
			a->bad = true;
			b->bad = true;
		}
	}
}
