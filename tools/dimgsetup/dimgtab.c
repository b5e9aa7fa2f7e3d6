// SPDX-License-Identifier: GPL-2.0
/*
 * dimgtab.c - owns the format of /etc/dimgtab: one device a line, NAME IMAGE
 * [OPTIONS], with the escapes of fstab and the long options of attach.
 *
 * A wrong line is reported with its number and marked; the others can be used
 * all the same, as one typing error must not keep a machine from booting. What
 * is wrong with several lines together (names, overlap) is tabcheck.c's.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dimgtab.h"

#define BLANKS	" \t\r\n"

/* What the generator passes on to systemd: x-systemd.WORD=UNIT-OR-PATH. */
static const char systemd_prefix[] = "x-systemd.";
static const char *const systemd_words[] = {
	"requires", "after", "before", "requires-mounts-for",
};

/* The next field of a line, cut off in place; NULL at the end or a comment. */
static char *next_field(char **p)
{
	char *field = *p + strspn(*p, BLANKS);

	if (!*field || *field == '#')
		return NULL;
	*p = field + strcspn(field, BLANKS);
	if (**p)
		*(*p)++ = '\0';
	return field;
}

static int octal_digit(char c)
{
	return c >= '0' && c <= '7' ? c - '0' : -1;
}

/* Decode \NNN in place; -EINVAL for another backslash or a zero byte. */
static int decode(char *s)
{
	char *to = s;
	int value, i;

	while (*s) {
		if (*s != '\\') {
			*to++ = *s++;
			continue;
		}
		for (value = 0, i = 1; i <= 3; i++) {
			/* a digit is missing: stops at the end of text, too */
			if (octal_digit(s[i]) < 0)
				return -EINVAL;
			value = value * 8 + octal_digit(s[i]);
		}
		if (!value || value > UINT8_MAX)
			return -EINVAL;
		*to++ = value;
		s += 4;
	}
	*to = '\0';
	return 0;
}

static int bad_escape(const char *field)
{
	return dimg_usage_error("%s: a backslash is followed by three octal digits: \\040 is a blank, \\054 a comma, \\134 a backslash",
				field);
}

/*
 * Only the kernel can follow "..": systemd takes a path as it is written, and gives
 * up a unit with such a one. 0, or an exit code.
 */
static int check_path(const char *what, const char *path)
{
	const char *p = path;
	size_t len;

	for (; *p; p++)
		if (iscntrl((unsigned char)*p))
			return dimg_usage_error("%s has a control character (byte %u) in its path: rename it",
						what, (unsigned char)*p);
	if (*path != '/')
		return dimg_usage_error("%s \"%s\" is no absolute path: begin with /",
					what, path);
	for (p = path; *p; p += len) {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (*p == '.' && (len == 1 || (len == 2 && p[1] == '.')))
			return dimg_usage_error("%s \"%s\" has . or .. in it: write the path that \"realpath\" prints",
						what, path);
	}
	return 0;
}

/* What systemd would take for something else than a value; 0, or an exit code. */
static int check_systemd(const char *word, const char *value)
{
	size_t len = strlen(value);
	const char *p;

	/* the next line of the unit would belong to it */
	if (value[len - 1] == '\\')
		return dimg_usage_error("%s%s: the value ends in a backslash",
					systemd_prefix, word);
	if (!strcmp(word, "requires-mounts-for"))
		return check_path("x-systemd.requires-mounts-for", value);
	for (p = value; *p; p++)
		/* a unit's name has none; in its file a blank would end it */
		if (*p == ' ' || iscntrl((unsigned char)*p))
			return dimg_usage_error("%s%s: the value is no name of a unit",
						systemd_prefix, word);
	return 0;
}

/* Other words behind the prefix are typing errors, or would do nothing. */
static int take_systemd(struct dimg_tab_entry *e, const char *word,
			const char *value)
{
	const char **more;
	size_t i;
	int ret;

	for (i = 0; i < sizeof(systemd_words) / sizeof(*systemd_words); i++) {
		if (strcmp(word, systemd_words[i]))
			continue;
		if (!value || !*value)
			return dimg_usage_error("%s%s needs a value: %s%s=...",
						systemd_prefix, word,
						systemd_prefix, word);
		ret = check_systemd(word, value);
		if (ret)
			return ret;
		more = reallocarray(e->systemd, e->n_systemd + 2,
				    sizeof(*more));
		if (!more) {
			dimg_say(NULL, "%s", strerror(ENOMEM));
			return DIMG_EXIT_KERNEL;
		}
		more[e->n_systemd++] = systemd_words[i];
		more[e->n_systemd++] = value;
		e->systemd = more;
		return -1;
	}
	return dimg_usage_error("there is no option %s%s; dimgtab(5) lists those for systemd",
				systemd_prefix, word);
}

/* Words without a value that say when to attach, not how. */
static bool take_when(struct dimg_tab_entry *e, const char *word)
{
	static const char *const nothing[] = { "defaults", "auto" };
	size_t i;

	for (i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		if (!strcmp(word, nothing[i]))
			return true;
	if (!strcmp(word, "noauto"))
		e->noauto = true;
	else if (!strcmp(word, "nofail"))
		e->nofail = true;
	else if (!strcmp(word, "_netdev"))
		e->netdev = true;
	else
		return false;
	return true;
}

/* One option; -1 to go on, else an exit code after the reason has been printed. */
static int take_option(struct dimg_tab_entry *e, char *word)
{
	char *value = strchr(word, '=');
	size_t len = strlen(systemd_prefix);

	if (value)
		*value++ = '\0';
	if (decode(word) || (value && decode(value)))
		return bad_escape(word);
	if (!value && take_when(e, word))
		return -1;
	if (!strncmp(word, systemd_prefix, len))
		return take_systemd(e, word + len, value);
	/* notes for other programs, as in fstab */
	if (!strncasecmp(word, "x-", 2))
		return -1;
	if (!strcmp(word, "name"))
		return dimg_usage_error("the name is the first field of the line, not an option");
	return dimg_attach_option(&e->attach, word, value);
}

static int take_options(struct dimg_tab_entry *e, char *options)
{
	char *word;
	int ret;

	while ((word = strsep(&options, ","))) {
		if (!*word)
			return dimg_usage_error("an option is empty: a comma too many?");
		ret = take_option(e, word);
		if (ret >= 0)
			return ret;
	}
	return -1;
}

/* The fields of one line, which is not empty; -1 if all is well. */
static int take_fields(struct dimg_tab_entry *e, char *p)
{
	char *name = next_field(&p), *image = next_field(&p);
	char *options = next_field(&p), *rest = next_field(&p);
	int ret;

	e->name = name;
	if (!dimg_parse_is_name(name))
		return dimg_usage_error("\"%s\" is no name: it has 1 to 63 letters, digits and _ . : + -, begins with no dot or dash and does not look like a node",
					name);
	if (dimg_parse_is_part_name(name))
		return dimg_usage_error(DIMG_PART_NAME_TEXT, name);
	if (!image)
		return dimg_usage_error("the image is missing: NAME IMAGE [OPTIONS]");
	if (rest)
		return dimg_usage_error("\"%s\" is too much: NAME IMAGE [OPTIONS]; a blank inside of a field is \\040",
					rest);
	if (decode(image))
		return bad_escape(image);
	ret = check_path("the image", image);
	if (ret)
		return ret;
	e->attach.path = image;
	e->attach.req.name = name;
	return options ? take_options(e, options) : -1;
}

static void entry_free(struct dimg_tab_entry *e)
{
	free(e->systemd);
	free(e->text);
}

/* Add the line @text, which the table owns then. */
static int add_line(struct dimg_tab *tab, char *text, unsigned int line)
{
	struct dimg_tab_entry *v, *e;

	v = reallocarray(tab->v, tab->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	tab->v = v;
	e = &v[tab->n++];
	*e = (struct dimg_tab_entry){ .text = text, .line = line };
	dimg_attach_init(&e->attach);
	dimg_tab_where(tab, e);
	e->bad = take_fields(e, text) >= 0;
	dimg_context[0] = '\0';
	if (e->bad)
		tab->n_bad++;
	return 0;
}

static bool is_empty(const char *line)
{
	line += strspn(line, BLANKS);
	return !*line || *line == '#';
}

static int read_lines(struct dimg_tab *tab, FILE *f)
{
	char *text = NULL;
	unsigned int line;
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	for (line = 1; !ret; line++) {
		errno = 0;
		len = getline(&text, &size, f);
		if (len < 0) {
			ret = errno ? -errno : 1;
		} else if (strlen(text) != (size_t)len) {
			/* the rest of the line would be lost in silence */
			ret = -EILSEQ;
		} else if (!is_empty(text)) {
			ret = add_line(tab, text, line);
			if (!ret)
				text = NULL;
			size = text ? size : 0;
		}
	}
	free(text);
	return ret < 0 ? ret : 0;
}

/**
 * dimg_tab_where - let messages begin with the place of an entry
 *
 * Until dimg_context is empty again.
 */
void dimg_tab_where(const struct dimg_tab *tab, const struct dimg_tab_entry *e)
{
	snprintf(dimg_context, sizeof(dimg_context), "%s:%u", tab->file,
		 e->line);
}

/**
 * dimg_tab_load - read a table
 * @by_path: do not look at the images: they may lie on a server that hangs
 * @tab: filled in; give it to dimg_tab_free() in any case
 *
 * Wrong lines are reported and counted in n_bad; that alone is no failure.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_tab_load(const char *file, bool by_path, struct dimg_tab *tab)
{
	struct dimg_error e;
	FILE *f;
	int ret;

	*tab = (struct dimg_tab){ .file = file, .by_path = by_path };
	f = fopen(file, "re");
	if (!f) {
		dimg_say(file, "the table cannot be read: %s\n"
			 "One line of it is NAME IMAGE [OPTIONS]; see dimgtab(5).",
			 strerror(errno));
		return errno == EACCES ? DIMG_EXIT_PERMISSION :
			DIMG_EXIT_NOT_FOUND;
	}
	ret = read_lines(tab, f);
	fclose(f);
	if (!ret) {
		dimg_tab_check(tab);
		return 0;
	}
	if (ret == -EILSEQ) {
		dimg_say(file, "has a zero byte in it: this is no table\n"
			 "One line of it is NAME IMAGE [OPTIONS]; see dimgtab(5).");
		return DIMG_EXIT_USAGE;
	}
	dimg_error_set(&e, -ret, "the table cannot be read");
	return dimg_fail(file, &e);
}

void dimg_tab_free(struct dimg_tab *tab)
{
	size_t i;

	for (i = 0; i < tab->n; i++)
		entry_free(&tab->v[i]);
	free(tab->v);
	tab->v = NULL;
	tab->n = 0;
}
