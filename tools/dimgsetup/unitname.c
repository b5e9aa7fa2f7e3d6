// SPDX-License-Identifier: GPL-2.0
/*
 * unitname.c - owns the escapes of systemd: those of systemd-escape(1) for names
 * of units, and those of systemd.syntax(7) for values in their files.
 *
 * test-unitname.c compares with what systemd-escape prints.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unitname.h"

/* Append the byte @c to @to, as \xNN unless a name of a unit may have it. */
static char *put_escaped(char *to, char c, int first)
{
	if (isalnum((unsigned char)c) || c == ':' || c == '_' ||
	    (c == '.' && !first)) {
		*to = c;
		return to + 1;
	}
	return to + sprintf(to, "\\x%02x", (unsigned char)c);
}

/**
 * dimg_unit_escape - as "systemd-escape S"
 *
 * Return: to be freed; NULL without memory.
 */
char *dimg_unit_escape(const char *s)
{
	char *buf = malloc(4 * strlen(s) + 1), *to = buf;
	size_t i;

	if (!buf)
		return NULL;
	for (i = 0; s[i]; i++) {
		if (s[i] == '/')
			*to++ = '-';
		else
			to = put_escaped(to, s[i], !i);
	}
	*to = '\0';
	return buf;
}

/**
 * dimg_unit_from_path - as "systemd-escape --path PATH", and a suffix
 * @path: absolute, without . and ..
 *
 * Return: to be freed; NULL without memory.
 */
char *dimg_unit_from_path(const char *path, const char *suffix)
{
	char *buf = malloc(4 * strlen(path) + strlen(suffix) + 2), *to = buf;

	if (!buf)
		return NULL;
	for (; *path; path++) {
		if (*path != '/')
			to = put_escaped(to, *path, to == buf);
		else if (to > buf && path[1] && path[1] != '/')
			*to++ = '-';
	}
	if (to == buf)
		*to++ = '-';
	memcpy(to, suffix, strlen(suffix) + 1);
	return buf;
}

/**
 * dimg_unit_text - a value without blanks and quotes: only % means something
 */
void dimg_unit_text(const char *s, FILE *f)
{
	for (; *s; s++) {
		if (*s == '%')
			fputc('%', f);
		fputc(*s, f);
	}
}

/**
 * dimg_unit_quote - a value that may hold anything, in quotes
 */
void dimg_unit_quote(const char *s, FILE *f)
{
	fputc('"', f);
	for (; *s; s++) {
		if (iscntrl((unsigned char)*s))
			fprintf(f, "\\x%02x", (unsigned char)*s);
		else if (*s == '"' || *s == '\\')
			fprintf(f, "\\%c", *s);
		else if (*s == '%')
			fputs("%%", f);
		else
			fputc(*s, f);
	}
	fputc('"', f);
}
