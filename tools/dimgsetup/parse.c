// SPDX-License-Identifier: GPL-2.0
/*
 * parse.c - owns text that users write and numbers that they read: sizes,
 * numbers, direct modes, device arguments, names.
 *
 * No system call and no state, so that test-parse.c can feed it anything.
 * Every function checks overflow; none guesses.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

/* Digits after the point that still fit an exact computation below. */
#define FRACTION_DIGITS_MAX	18

/**
 * struct number - a size as written: whole.fraction, fraction over scale
 */
struct number {
	uint64_t whole;
	uint64_t fraction;
	uint64_t scale;
};

/* Read digits in @base; -EINVAL without any, -ERANGE if they overflow. */
static int parse_digits(const char **s, unsigned int base, uint64_t *val)
{
	const char *p = *s;
	uint64_t n = 0;

	for (; isxdigit((unsigned char)*p); p++) {
		unsigned int digit;

		digit = isdigit((unsigned char)*p) ? *p - '0' :
			tolower((unsigned char)*p) - 'a' + 10;
		if (digit >= base)
			break;
		if (__builtin_mul_overflow(n, base, &n) ||
		    __builtin_add_overflow(n, digit, &n))
			return -ERANGE;
	}
	if (p == *s)
		return -EINVAL;
	*s = p;
	*val = n;
	return 0;
}

/* Read decimal digits with a fraction, or 0x and hexadecimal digits. */
static int parse_number(const char **s, struct number *num)
{
	const char *p = *s;
	int ret;

	num->fraction = 0;
	num->scale = 1;
	if (p[0] == '0' && (p[1] == 'x' || p[1] == 'X')) {
		*s += 2;
		return parse_digits(s, 16, &num->whole);
	}
	/* 010 is 8 to losetup and 10 to most people: refuse instead of guess */
	if (p[0] == '0' && isdigit((unsigned char)p[1]))
		return -EINVAL;
	ret = parse_digits(s, 10, &num->whole);
	if (ret || **s != '.')
		return ret;
	p = ++*s;
	ret = parse_digits(s, 10, &num->fraction);
	if (ret)
		return ret;
	if (*s - p > FRACTION_DIGITS_MAX)
		return -ERANGE;
	for (; p < *s; p++)
		num->scale *= 10;
	return 0;
}

/*
 * Bytes in one unit: as in losetup, K and KiB are 1024 and KB is 1000, and so
 * on to E; nothing is 1. 0 stands for a suffix nobody knows.
 */
static uint64_t parse_unit(const char *s)
{
	static const char letters[] = "KMGTPE";
	const char *letter;
	uint64_t base, unit;

	if (!*s)
		return 1;
	letter = strchr(letters, toupper((unsigned char)*s));
	if (!letter)
		return 0;
	if (!s[1] || !strcmp(s + 1, "iB"))
		base = 1024;
	else if (!strcmp(s + 1, "B"))
		base = 1000;
	else
		return 0;
	for (unit = base; letter > letters; letter--)
		unit *= base;
	return unit;
}

/**
 * dimg_parse_size - read a number of bytes with an optional unit
 * @s: such as 4096, 0x1000, 10M, 10MB, 1.5GiB
 * @bytes: set on success only
 *
 * Return: 0, -EINVAL if @s is no size, -ERANGE if it does not fit 64 bits.
 */
int dimg_parse_size(const char *s, uint64_t *bytes)
{
	unsigned __int128 total;
	struct number num;
	uint64_t unit;
	int ret;

	ret = parse_number(&s, &num);
	if (ret)
		return ret;
	unit = parse_unit(s);
	/* half a byte is a typing error, not a size */
	if (!unit || (unit == 1 && num.scale > 1))
		return -EINVAL;
	total = (unsigned __int128)num.whole * unit +
		(unsigned __int128)num.fraction * unit / num.scale;
	if (total > UINT64_MAX)
		return -ERANGE;
	*bytes = total;
	return 0;
}

/**
 * dimg_parse_u32 - read a plain number
 *
 * Return: 0, -EINVAL if @s is no number, -ERANGE if it does not fit 32 bits.
 */
int dimg_parse_u32(const char *s, uint32_t *val)
{
	uint64_t n;
	int ret;

	ret = parse_digits(&s, 10, &n);
	if (ret)
		return ret;
	if (*s)
		return -EINVAL;
	if (n > UINT32_MAX)
		return -ERANGE;
	*val = n;
	return 0;
}

static const char * const direct_texts[] = {
	[DIMGBLK_DIRECT_OFF] = "off",
	[DIMGBLK_DIRECT_ON] = "on",
	[DIMGBLK_DIRECT_AUTO] = "auto",
};

static const char * const state_texts[] = {
	[DIMGBLK_STATE_LIVE] = "live",
	[DIMGBLK_STATE_DETACHING] = "detaching",
	[DIMGBLK_STATE_DEAD] = "dead",
	[DIMGBLK_STATE_DETACHED] = "detached",
};

/**
 * dimg_parse_direct - read on, off or auto; NULL is on, as in --direct-io
 *
 * Return: 0, or -EINVAL.
 */
int dimg_parse_direct(const char *s, uint32_t *mode)
{
	uint32_t i;

	if (!s)
		s = "on";
	for (i = 0; i < sizeof(direct_texts) / sizeof(*direct_texts); i++) {
		if (!strcmp(s, direct_texts[i])) {
			*mode = i;
			return 0;
		}
	}
	return -EINVAL;
}

/**
 * dimg_direct_text - the word for a direct mode
 *
 * Return: a constant; "?" for a mode that this tool does not know yet.
 */
const char *dimg_direct_text(uint32_t mode)
{
	if (mode >= sizeof(direct_texts) / sizeof(*direct_texts))
		return "?";
	return direct_texts[mode];
}

/**
 * dimg_state_text - the word for a state of a device
 *
 * Return: a constant; "?" for a state that this tool does not know yet.
 */
const char *dimg_state_text(uint32_t state)
{
	if (state >= sizeof(state_texts) / sizeof(*state_texts))
		return "?";
	return state_texts[state];
}

/**
 * dimg_parse_node - read dimgblkN or dimgblkNpM, with or without /dev/
 * @index: set to N on success
 * @partition: set to whether there is a pM
 *
 * Return: 0, -EINVAL if @s is something else, -ERANGE if N fits no index.
 */
int dimg_parse_node(const char *s, uint32_t *index, bool *partition)
{
	uint64_t n, part;
	int ret;

	if (!strncmp(s, "/dev/", 5))
		s += 5;
	if (strncmp(s, DIMG_NODE_PREFIX, strlen(DIMG_NODE_PREFIX)))
		return -EINVAL;
	s += strlen(DIMG_NODE_PREFIX);
	/* the kernel never writes a leading zero: dimgblk00 is no node */
	if (s[0] == '0' && isdigit((unsigned char)s[1]))
		return -EINVAL;
	ret = parse_digits(&s, 10, &n);
	if (ret)
		return ret;
	*partition = *s == 'p';
	if (*partition) {
		s++;
		ret = parse_digits(&s, 10, &part);
		if (ret)
			return ret;
	}
	if (*s)
		return -EINVAL;
	if (n > UINT32_MAX)
		return -ERANGE;
	*index = n;
	return 0;
}

/**
 * dimg_parse_is_name - whether @s may be the name of a device
 *
 * The kernel decides at attach; here it only says whether a look-up by name
 * makes sense. The rule is that of the attribute "name" in the spec.
 */
bool dimg_parse_is_name(const char *s)
{
	size_t len = strlen(s);
	bool partition;
	uint32_t index;
	size_t i;

	if (!len || len > DIMGBLK_NAME_MAX_LEN || s[0] == '.' || s[0] == '-')
		return false;
	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) && !strchr("_.:+-", s[i]))
			return false;
	return dimg_parse_node(s, &index, &partition) == -EINVAL;
}

/**
 * dimg_parse_is_part_name - does @s end as the link of a partition, in -partN?
 *
 * The kernel takes such a name, but its link in /dev/disk/by-dimg-name may be that
 * of a partition of another device; so it is looked up, and not given.
 */
bool dimg_parse_is_part_name(const char *s)
{
	size_t len = strlen(s), digits = 0;
	const size_t mark = strlen("-part");

	while (digits < len && isdigit((unsigned char)s[len - 1 - digits]))
		digits++;
	len -= digits;
	return digits && len >= mark && !strncmp(s + len - mark, "-part", mark);
}

/**
 * dimg_human_size - write a size for people, such as 512B, 1.5G, 40G
 * @buf: 8 bytes are enough
 */
void dimg_human_size(uint64_t bytes, char *buf, size_t len)
{
	static const char units[] = "BKMGTPE";
	unsigned int shift = 0, unit = 0;
	uint64_t whole, tenths;

	while (bytes >> shift >= 1024) {
		shift += 10;
		unit++;
	}
	whole = bytes >> shift;
	/* the rest is below 2^60: times ten fits */
	tenths = (bytes - (whole << shift)) * 10 >> shift;
	if (tenths)
		snprintf(buf, len, "%u.%u%c", (unsigned int)whole,
			 (unsigned int)tenths, units[unit]);
	else
		snprintf(buf, len, "%u%c", (unsigned int)whole, units[unit]);
}
