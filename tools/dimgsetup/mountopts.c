// SPDX-License-Identifier: GPL-2.0
/*
 * mountopts.c - owns the list behind "-o" of mount(8): takes the options of
 * attach out of it (dimg.NAME[=VALUE]) and refuses what would lead astray.
 *
 * What is left is for libmount, which knows by itself which of it is for the
 * kernel and which (noauto, nofail, _netdev, x-...) for programs only.
 */
#include <errno.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

#define PREFIX		"dimg."

/* mount(8) makes a stock loop device of these, and of "loop", whatever the type. */
static const char *const loop_options[] = { "offset", "sizelimit" };

static int fail_memory(void)
{
	struct dimg_error e;

	dimg_error_set(&e, ENOMEM, "%s", "");
	return dimg_fail(NULL, &e);
}

/* One string that lives as long as the options; NULL without memory. */
static char *keep(struct dimg_mountopts *o, const char *s, size_t len)
{
	char **v = reallocarray(o->kept, o->n_kept + 1, sizeof(*v));
	char *copy;

	if (!v)
		return NULL;
	o->kept = v;
	/* a value with a comma in it is written in quotes */
	if (len > 1 && s[0] == '"' && s[len - 1] == '"') {
		s++;
		len -= 2;
	}
	copy = strndup(s, len);
	if (copy)
		v[o->n_kept++] = copy;
	return copy;
}

/* Hand one dimg.NAME[=VALUE] to attach; -1 to go on, else the exit code. */
static int take(struct dimg_mountopts *o, struct dimg_attach *a,
		const char *name, size_t name_len, const char *value,
		size_t value_len)
{
	const char *key = keep(o, name + strlen(PREFIX),
			       name_len - strlen(PREFIX));
	const char *val = value ? keep(o, value, value_len) : NULL;

	if (!key || (value && !val))
		return fail_memory();
	if (o->sloppy && !dimg_attach_knows(key)) {
		dimg_say(NULL, "the unknown option " PREFIX "%s is ignored, as -s asks for",
			 key);
		return -1;
	}
	return dimg_attach_option(a, key, val);
}

static bool is_word(const char *name, size_t len, const char *word)
{
	return len == strlen(word) && !strncmp(name, word, len);
}

static int refuse_loop(const char *name, size_t len)
{
	size_t i;

	if (is_word(name, len, "loop"))
		return dimg_usage_error("-o loop is for loop devices: leave it out");
	for (i = 0; i < sizeof(loop_options) / sizeof(*loop_options); i++)
		if (is_word(name, len, loop_options[i]))
			return dimg_usage_error("-o %s is for loop devices: write dimg.%s or dimg.part instead",
						loop_options[i], loop_options[i]);
	return -1;
}

/* What the rest of the tool has to know of an option that libmount gets, too. */
static void look_at(struct dimg_mountopts *o, const char *name, size_t len)
{
	if (is_word(name, len, "ro"))
		o->read_only = true;
	else if (is_word(name, len, "rw"))
		o->read_only = false;
	else if (is_word(name, len, "remount"))
		o->remount = true;
	else if (is_word(name, len, "nofail"))
		o->nofail = true;
	else if (is_word(name, len, "X-mount.mkdir") ||
		 is_word(name, len, "x-mount.mkdir"))
		o->mkdir = true;
}

/* Keep one option as it is for libmount; 0 or the exit code. */
static int pass(struct dimg_mountopts *o, const char *name, size_t name_len,
		const char *value, size_t value_len)
{
	const char *end = value ? value + value_len : name + name_len;
	char *option = strndup(name, end - name), *list = NULL;
	int n;

	look_at(o, name, name_len);
	if (!option)
		return fail_memory();
	n = asprintf(&list, "%s%s%s", o->rest ? o->rest : "",
		     o->rest ? "," : "", option);
	free(option);
	if (n < 0)
		return fail_memory();
	free(o->rest);
	o->rest = list;
	return -1;
}

/**
 * dimg_mountopts_add - sort the options of one -o
 * @list: separated by commas
 * @a: gets those that begin with "dimg."
 *
 * Of several -o all count, in their order.
 *
 * Return: -1 to go on, else an exit code after the reason has been printed.
 */
int dimg_mountopts_add(struct dimg_mountopts *o, const char *list,
		       struct dimg_attach *a)
{
	/* the library moves a pointer along, it changes nothing */
	char *rest = (char *)list, *name, *value;
	size_t name_len, value_len;
	int ret = -1, end;

	while (ret < 0) {
		end = mnt_optstr_next_option(&rest, &name, &name_len, &value,
					     &value_len);
		if (end < 0)
			return dimg_usage_error("-o: \"%s\" is no list of options", list);
		if (end)
			break;
		if (name_len > strlen(PREFIX) &&
		    !strncmp(name, PREFIX, strlen(PREFIX))) {
			ret = take(o, a, name, name_len, value, value_len);
			continue;
		}
		ret = refuse_loop(name, name_len);
		if (ret < 0)
			ret = pass(o, name, name_len, value, value_len);
	}
	return ret;
}

/* dimg_mountopts_free - only when the attach that has its values is over. */
void dimg_mountopts_free(struct dimg_mountopts *o)
{
	size_t i;

	for (i = 0; i < o->n_kept; i++)
		free(o->kept[i]);
	free(o->kept);
	free(o->rest);
	memset(o, 0, sizeof(*o));
}
