// SPDX-License-Identifier: GPL-2.0
/*
 * test-parse.c - what users write is read exactly or refused: sizes, numbers,
 * direct modes, nodes and names (parse.c).
 *
 * Broken, a device would map other bytes than the user asked for. A loop feeds
 * random text; the sanitizers that this is built with watch it, and a model in
 * plain arithmetic checks random sizes.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dimgsetup.h"

/* main.c is not linked: it has main(). */
const char *dimg_command;
bool dimg_verbose;

#define ROUNDS	200000

static void assert_size(const char *s, uint64_t expected)
{
	uint64_t bytes = 0;

	assert_int_equal(dimg_parse_size(s, &bytes), 0);
	assert_int_equal(bytes, expected);
}

static void assert_no_size(const char *s, int err)
{
	uint64_t bytes = 4711;

	assert_int_equal(dimg_parse_size(s, &bytes), err);
	/* a refused size leaves nothing behind */
	assert_int_equal(bytes, 4711);
}

static void sizes_have_losetups_units(void **state)
{
	(void)state;
	assert_size("0", 0);
	assert_size("512", 512);
	assert_size("0x200", 512);
	assert_size("1K", 1024);
	assert_size("1k", 1024);
	assert_size("1KiB", 1024);
	assert_size("1KB", 1000);
	assert_size("3M", 3 << 20);
	assert_size("3MB", 3000000);
	assert_size("40G", UINT64_C(40) << 30);
	assert_size("2T", UINT64_C(2) << 40);
	assert_size("2TB", UINT64_C(2000000000000));
	assert_size("1P", UINT64_C(1) << 50);
	assert_size("7E", UINT64_C(7) << 60);
	assert_size("1.5K", 1536);
	assert_size("0.5KB", 500);
	assert_size("1.5GiB", UINT64_C(3) << 29);
	assert_size("0x10K", 16384);
	assert_size("18446744073709551615", UINT64_MAX);
	assert_size("15.9999999999999999E", UINT64_MAX - 115);
}

static void other_text_is_no_size(void **state)
{
	static const char * const texts[] = {
		"", " ", "-1", "+1", " 1", "1 ", "1 K", "K", "1KK", "1iB", "1B",
		"1Kib", "1kb", "1.5", "1.", ".5K", "1.K", "1..5K", "010", "00",
		"0x", "0xg", "1e3", "1,5K", "x", "1Z", "\xff", "1\n",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_no_size(texts[i], -EINVAL);
}

static void sizes_beyond_64_bits_are_refused(void **state)
{
	(void)state;
	assert_no_size("18446744073709551616", -ERANGE);
	assert_no_size("16E", -ERANGE);
	assert_no_size("18.5EB", -ERANGE);
	assert_no_size("0x10000000000000000", -ERANGE);
	assert_no_size("99999999999999999999999999999K", -ERANGE);
	assert_no_size("1.0000000000000000000K", -ERANGE);
}

static void random_sizes_match_a_model(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} units[] = {
		{ "", 1 }, { "K", 1 << 10 }, { "MiB", 1 << 20 },
		{ "GB", 1000000000 }, { "T", UINT64_C(1) << 40 },
		{ "E", UINT64_C(1) << 60 },
	};
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		uint64_t n = (uint64_t)random() << 33 >> random() % 60;
		size_t unit = random() % (sizeof(units) / sizeof(*units));
		char text[64];

		snprintf(text, sizeof(text), i % 2 ? "%llu%s" : "0x%llx%s",
			 (unsigned long long)n, units[unit].text);
		/* hexadecimal digits swallow the letter E, as they must */
		if (!(i % 2) && *units[unit].text == 'E')
			continue;
		if (n > UINT64_MAX / units[unit].bytes)
			assert_no_size(text, -ERANGE);
		else
			assert_size(text, n * units[unit].bytes);
	}
}

static void numbers_have_32_bits(void **state)
{
	uint32_t n = 7;

	(void)state;
	assert_int_equal(dimg_parse_u32("0", &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(dimg_parse_u32("4294967295", &n), 0);
	assert_int_equal(n, UINT32_MAX);
	assert_int_equal(dimg_parse_u32("4294967296", &n), -ERANGE);
	assert_int_equal(dimg_parse_u32("-1", &n), -EINVAL);
	assert_int_equal(dimg_parse_u32("1K", &n), -EINVAL);
	assert_int_equal(dimg_parse_u32("", &n), -EINVAL);
	assert_int_equal(n, UINT32_MAX);
}

static void direct_modes(void **state)
{
	uint32_t mode = 99;

	(void)state;
	assert_int_equal(dimg_parse_direct("off", &mode), 0);
	assert_int_equal(mode, DIMGBLK_DIRECT_OFF);
	assert_int_equal(dimg_parse_direct("auto", &mode), 0);
	assert_int_equal(mode, DIMGBLK_DIRECT_AUTO);
	assert_int_equal(dimg_parse_direct(NULL, &mode), 0);
	assert_int_equal(mode, DIMGBLK_DIRECT_ON);
	assert_int_equal(dimg_parse_direct("ON", &mode), -EINVAL);
	assert_int_equal(dimg_parse_direct("", &mode), -EINVAL);
	assert_string_equal(dimg_direct_text(77), "?");
	assert_string_equal(dimg_state_text(77), "?");
}

/* Start from the opposite, so that an untouched value is seen. */
static void assert_node(const char *s, uint32_t expected, bool expected_part)
{
	bool part = !expected_part;
	uint32_t index = 0;

	assert_int_equal(dimg_parse_node(s, &index, &part), 0);
	assert_int_equal(index, expected);
	assert_int_equal(part, expected_part);
}

static void nodes_are_told_from_other_text(void **state)
{
	static const char * const texts[] = {
		"", "dimgblk", "/dev/dimgblk", "dimgblkp1", "dimgblk1p",
		"dimgblk01", "dimgblk-1", "dimgblk1x", "dimgblk1p1x",
		"/tmp/dimgblk0", "./dimgblk0", "loop0", "DIMGBLK0", "dimgblk 0",
	};
	uint32_t index;
	bool part;
	size_t i;

	(void)state;
	assert_node("/dev/dimgblk0", 0, false);
	assert_node("dimgblk1048575", 1048575, false);
	assert_node("dimgblk12p3", 12, true);
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		assert_int_equal(dimg_parse_node(texts[i], &index, &part),
				 -EINVAL);
	assert_int_equal(dimg_parse_node("dimgblk4294967296", &index, &part),
			 -ERANGE);
	assert_int_equal(dimg_parse_node("dimgblk99999999999999999999999",
					 &index, &part), -ERANGE);
}

static void names_follow_the_spec(void **state)
{
	char longest[DIMGBLK_NAME_MAX_LEN + 2];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[DIMGBLK_NAME_MAX_LEN] = '\0';
	assert_true(dimg_parse_is_name(longest));
	longest[DIMGBLK_NAME_MAX_LEN] = 'a';
	longest[DIMGBLK_NAME_MAX_LEN + 1] = '\0';
	assert_false(dimg_parse_is_name(longest));
	assert_true(dimg_parse_is_name("vm1.root_a:b+c-d"));
	assert_true(dimg_parse_is_name("dimgblk"));
	assert_true(dimg_parse_is_name("_"));
	assert_false(dimg_parse_is_name(""));
	assert_false(dimg_parse_is_name(".a"));
	assert_false(dimg_parse_is_name("-a"));
	assert_false(dimg_parse_is_name("a/b"));
	assert_false(dimg_parse_is_name("a b"));
	assert_false(dimg_parse_is_name("\xc3\xa4"));
	assert_false(dimg_parse_is_name("dimgblk0"));
	assert_false(dimg_parse_is_name("dimgblk0p1"));
}

static void names_of_partitions_are_told(void **state)
{
	static const char * const others[] = {
		"", "a", "1", "part1", "a-part", "a-part1b", "a-part-1", "part-1",
		"a.part1", "a-Part1",
	};
	size_t i;

	(void)state;
	assert_true(dimg_parse_is_part_name("a-part1"));
	assert_true(dimg_parse_is_part_name("-part0"));
	assert_true(dimg_parse_is_part_name("a-part1-part128"));
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		assert_false(dimg_parse_is_part_name(others[i]));
}

static void human_sizes(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" }, { 512, "512B" }, { 1023, "1023B" },
		{ 1024, "1K" }, { 1536, "1.5K" }, { 10 << 20, "10M" },
		{ UINT64_C(40) << 30, "40G" }, { UINT64_MAX, "15.9E" },
	};
	char buf[8];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		dimg_human_size(cases[i].bytes, buf, sizeof(buf));
		assert_string_equal(buf, cases[i].text);
	}
}

/* Nothing here has an expected value: the sanitizers are the judge. */
static void random_text_breaks_nothing(void **state)
{
	static const char alphabet[] =
		"0123456789abcdefxKMGTPEiB.+-/ pdimgblk_:\x01\xff";
	uint64_t bytes;
	uint32_t n;
	bool part;
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		size_t len = random() % 24, j;
		/* exactly as long as needed, so that a byte too far is seen */
		char *s = malloc(len + 1);

		assert_non_null(s);
		for (j = 0; j < len; j++)
			s[j] = alphabet[random() % (sizeof(alphabet) - 1)];
		s[len] = '\0';
		dimg_parse_size(s, &bytes);
		dimg_parse_u32(s, &n);
		dimg_parse_direct(s, &n);
		/* what is a node is never a name: no argument means two things */
		if (!dimg_parse_node(s, &n, &part))
			assert_false(dimg_parse_is_name(s));
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_have_losetups_units),
		cmocka_unit_test(other_text_is_no_size),
		cmocka_unit_test(sizes_beyond_64_bits_are_refused),
		cmocka_unit_test(random_sizes_match_a_model),
		cmocka_unit_test(numbers_have_32_bits),
		cmocka_unit_test(direct_modes),
		cmocka_unit_test(nodes_are_told_from_other_text),
		cmocka_unit_test(names_follow_the_spec),
		cmocka_unit_test(names_of_partitions_are_told),
		cmocka_unit_test(human_sizes),
		cmocka_unit_test(random_text_breaks_nothing),
	};

	/* the same text in each run: a failure can be seen again */
	srandom(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
