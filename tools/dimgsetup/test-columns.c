// SPDX-License-Identifier: GPL-2.0
/*
 * test-columns.c - "list -o" takes the columns it is given, and the table
 * prints what the kernel told (table.c).
 *
 * Broken, scripts would read another column than they asked for, or JSON that
 * does not parse. The output is compared as bytes, from a file.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "dimgsetup.h"

const char *dimg_command = "list";
bool dimg_verbose;

#define ROUNDS	20000

/* Descriptors in place of stdout and stderr while a test looks at them. */
static int saved_out, saved_err;

static int mute(void **state)
{
	(void)state;
	fflush(stdout);
	fflush(stderr);
	saved_out = dup(STDOUT_FILENO);
	saved_err = dup(STDERR_FILENO);
	return saved_out < 0 || saved_err < 0 ||
	       !freopen("/dev/null", "w", stderr);
}

static int unmute(void **state)
{
	(void)state;
	fflush(stdout);
	fflush(stderr);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_err, STDERR_FILENO);
	close(saved_out);
	close(saved_err);
	return 0;
}

/* Print @devs with @t into @buf. */
static void print_to(const struct dimg_table *t,
		     const struct dimg_devices *devs, char *buf, size_t len)
{
	FILE *f = tmpfile();
	size_t n;

	assert_non_null(f);
	fflush(stdout);
	dup2(fileno(f), STDOUT_FILENO);
	assert_int_equal(dimg_table_print(t, devs), 0);
	fflush(stdout);
	dup2(saved_out, STDOUT_FILENO);
	rewind(f);
	n = fread(buf, 1, len - 1, f);
	buf[n] = '\0';
	fclose(f);
}

static void lists_of_columns(void **state)
{
	struct dimg_table t = { 0 }, std = { 0 };

	(void)state;
	dimg_table_columns(&std, DIMG_COLUMNS_STD);
	assert_int_equal(std.n_columns, 8);
	assert_int_equal(dimg_table_parse_columns(&t, "NAME"), 0);
	assert_int_equal(t.n_columns, 1);
	assert_int_equal(dimg_table_parse_columns(&t, "name,back-maj:min"), 0);
	assert_int_equal(t.n_columns, 2);
	assert_int_equal(dimg_table_parse_columns(&t, "+state"), 0);
	assert_int_equal(t.n_columns, 9);
	assert_memory_equal(t.columns, std.columns, 8 * sizeof(int));
}

static void wrong_lists_are_usage_errors(void **state)
{
	static const char * const lists[] = {
		"", ",", "NAME,", ",NAME", "NAM", "NAMES", "NAME SIZE", "+",
		"NAME,,SIZE", "-", "all",
	};
	struct dimg_table t = { 0 };
	char too_many[1024] = "NAME";
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		assert_int_equal(dimg_table_parse_columns(&t, lists[i]),
				 DIMG_EXIT_USAGE);
	for (i = 0; i < 64; i++)
		strcat(too_many, ",RO");
	assert_int_equal(dimg_table_parse_columns(&t, too_many),
			 DIMG_EXIT_USAGE);
}

static void random_lists_break_nothing(void **state)
{
	static const char alphabet[] = "NAMEROSIZE,,+-:dio";
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		struct dimg_table t = { 0 };
		size_t len = random() % 40, j;
		char *s = malloc(len + 1);

		assert_non_null(s);
		for (j = 0; j < len; j++)
			s[j] = alphabet[random() % (sizeof(alphabet) - 1)];
		s[len] = '\0';
		dimg_table_parse_columns(&t, s);
		assert_true(t.n_columns <= 64);
		free(s);
	}
}

static void no_device_is_an_empty_list(void **state)
{
	struct dimg_table t = { .json = true };
	struct dimg_devices none = { 0 };
	char buf[256];

	(void)state;
	dimg_table_columns(&t, DIMG_COLUMNS_STD);
	print_to(&t, &none, buf, sizeof(buf));
	assert_string_equal(buf, "{\n   \"dimgdevices\": []\n}\n");
	t.json = false;
	print_to(&t, &none, buf, sizeof(buf));
	assert_string_equal(buf, "");
}

/* A device with a value in each column that the tests look at. */
static struct dimg_device one_device(char *path)
{
	return (struct dimg_device) {
		.known = UINT64_MAX, .index = 3, .capacity = 2048,
		.offset = 512, .logical_block_size = 512, .backing_path = path,
		.flags = DIMGBLK_FLAG_READ_ONLY, .direct = DIMGBLK_DIRECT_AUTO,
		.backing_major = 8, .backing_minor = 1,
	};
}

static void raw_output_has_bytes(void **state)
{
	char path[] = "/x/disk.img", buf[256];
	struct dimg_device dev = one_device(path);
	struct dimg_devices devs = { .v = &dev, .n = 1 };
	struct dimg_table t = { .raw = true, .no_headings = true };

	(void)state;
	dimg_table_columns(&t, DIMG_COLUMNS_STD);
	print_to(&t, &devs, buf, sizeof(buf));
	assert_string_equal(buf,
			    "/dev/dimgblk3 1048576 512 0 1 0 512 /x/disk.img\n");
}

static void json_is_typed(void **state)
{
	char path[] = "/x/a\"b\\c\nd", buf[512];
	struct dimg_device dev = one_device(path);
	struct dimg_devices devs = { .v = &dev, .n = 1 };
	struct dimg_table t = { .json = true };

	(void)state;
	assert_int_equal(dimg_table_parse_columns(&t, "NAME,REF,SIZE,RO,DIO,BACK-FILE"),
			 0);
	print_to(&t, &devs, buf, sizeof(buf));
	assert_non_null(strstr(buf, "\"name\": \"/dev/dimgblk3\"") ?:
			strstr(buf, "\"name\":\"/dev/dimgblk3\""));
	assert_non_null(strstr(buf, "\"ref\": null") ?: strstr(buf, "\"ref\":null"));
	assert_non_null(strstr(buf, "1048576"));
	assert_null(strstr(buf, "\"1048576\""));
	assert_non_null(strstr(buf, "true"));
	assert_non_null(strstr(buf, "false"));
	/* a quotation mark or a newline in a path must not end the string */
	assert_non_null(strstr(buf, "a\\\"b\\\\c"));
	assert_null(strstr(buf, "c\nd"));
}

static void tables_hold_no_control_characters(void **state)
{
	char path[] = "/x/a\033[31m\nb", buf[512];
	struct dimg_device dev = one_device(path);
	struct dimg_devices devs = { .v = &dev, .n = 1 };
	struct dimg_table t = { 0 };

	(void)state;
	dimg_table_columns(&t, DIMG_COLUMNS_STD);
	print_to(&t, &devs, buf, sizeof(buf));
	assert_null(strchr(buf, '\033'));
	assert_non_null(strstr(buf, "\\x1b"));
	t.raw = true;
	print_to(&t, &devs, buf, sizeof(buf));
	assert_null(strchr(buf, '\033'));
	assert_non_null(strstr(buf, "\\x1b"));
}

/* Messages hold none either, whatever a path is made of. */
static void messages_hold_no_control_characters(void **state)
{
	static const struct {
		const char *text, *escaped;
	} cases[] = {
		{ "a\033[31m\nb\\", "a\\x1b[31m\\x0ab\\x5c" },
		/* C1 in UTF-8: 80 to 9f after c2, and only these */
		{ "\302\2331m", "\\xc2\\x9b1m" },
		{ "\302\200\302\237", "\\xc2\\x80\\xc2\\x9f" },
		{ "\302\240\303\274\302", "\302\240\303\274\302" },
	};
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char *buf = NULL;
		FILE *f = open_memstream(&buf, &len);

		assert_non_null(f);
		dimg_fputs_escaped(cases[i].text, f);
		fclose(f);
		assert_string_equal(buf, cases[i].escaped);
		free(buf);
	}
}

#define QUIET(test)	cmocka_unit_test_setup_teardown(test, mute, unmute)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUIET(lists_of_columns),
		QUIET(wrong_lists_are_usage_errors),
		QUIET(random_lists_break_nothing),
		QUIET(no_device_is_an_empty_list),
		QUIET(raw_output_has_bytes),
		QUIET(json_is_typed),
		QUIET(tables_hold_no_control_characters),
		QUIET(messages_hold_no_control_characters),
	};

	srandom(1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
