// SPDX-License-Identifier: GPL-2.0
/*
 * subject.c - owns the meaning of the argument of commands that treat an image
 * whether it is attached or not.
 *
 * The module is not loaded for a file: what is not loaded has nothing attached.
 */
#include <string.h>
#include <sys/stat.h>

#include "dimgsetup.h"

static bool is_name_of_device(const struct dimg_devices *all, const char *arg)
{
	size_t i;

	for (i = 0; i < all->n; i++)
		if (all->v[i].name && !strcmp(all->v[i].name, arg))
			return true;
	return false;
}

/* The argument is a file that is there: attached or not? */
static int find_file(const char *arg, const struct stat *st,
		     struct dimg_subject *s)
{
	struct dimg_error e;
	size_t i;
	int ret = 0;

	s->path = arg;
	if (dimg_nl_open(&s->nl, &e))
		return 0;
	if (dimg_nl_dump(s->nl, &s->all, &e))
		return dimg_fail(NULL, &e);
	if (is_name_of_device(&s->all, arg)) {
		s->path = NULL;
		return dimg_resolve(&s->all, arg, &s->devs);
	}
	for (i = 0; !ret && i < s->all.n; i++)
		if (dimg_device_is_on(&s->all.v[i], arg, st))
			ret = dimg_devices_copy(&s->devs, &s->all.v[i]);
	if (!ret)
		return 0;
	dimg_error_set(&e, -ret, "cannot list the devices");
	return dimg_fail(arg, &e);
}

/**
 * dimg_subject_find - find out what an argument means
 * @s: filled in; give it to dimg_subject_free(), after a failure too
 *
 * Ordinary users are not told which image belongs to which device: to them, an
 * attached image looks detached, until they meet its locks.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_subject_find(const char *arg, struct dimg_subject *s)
{
	struct dimg_error e;
	struct stat st;

	memset(s, 0, sizeof(*s));
	if (!stat(arg, &st) && !S_ISBLK(st.st_mode))
		return find_file(arg, &st, s);
	if (dimg_nl_open(&s->nl, &e)) {
		dimg_say(arg, "there is no such file, and nothing is attached\nCheck the path.");
		return DIMG_EXIT_NOT_FOUND;
	}
	if (dimg_nl_dump(s->nl, &s->all, &e))
		return dimg_fail(NULL, &e);
	return dimg_resolve(&s->all, arg, &s->devs);
}

/* dimg_subject_free - give back; the subject is empty afterwards. */
void dimg_subject_free(struct dimg_subject *s)
{
	dimg_devices_free(&s->devs);
	dimg_devices_free(&s->all);
	if (s->nl)
		dimg_nl_close(s->nl);
	memset(s, 0, sizeof(*s));
}
