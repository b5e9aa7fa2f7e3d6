// SPDX-License-Identifier: GPL-2.0
/*
 * test-unitname.c - names of units are what systemd-escape prints, and values
 * come back from a unit file as they went in (unitname.c).
 *
 * Broken, a unit would wait for a device or a mount that never comes. What is
 * expected here was printed by systemd-escape; the values are read back by the
 * rules of systemd.syntax(7).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "unitname.h"

static void assert_escapes(const char *s, const char *expected)
{
	char *got = dimg_unit_escape(s);

	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void names(void **state)
{
	(void)state;
	assert_escapes("data", "data");
	assert_escapes("a-b+c:d_e.f", "a\\x2db\\x2bc:d_e.f");
	assert_escapes(".hidden", "\\x2ehidden");
	assert_escapes("a/b", "a-b");
}

static void assert_path(const char *path, const char *expected)
{
	char *got = dimg_unit_from_path(path, ".device");

	assert_non_null(got);
	assert_string_equal(got, expected);
	free(got);
}

static void paths(void **state)
{
	(void)state;
	assert_path("/dev/disk/by-dimg-name/my-data",
		    "dev-disk-by\\x2ddimg\\x2dname-my\\x2ddata.device");
	assert_path("/dev//sda1/", "dev-sda1.device");
	assert_path("/.a b", "\\x2ea\\x20b.device");
	assert_path("/dev/.x", "dev-.x.device");
	assert_path("/", "-.device");
}

static void assert_writes(void (*put)(const char *s, FILE *f), const char *s,
			  const char *expected)
{
	char *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);

	assert_non_null(f);
	put(s, f);
	assert_int_equal(fclose(f), 0);
	assert_string_equal(got, expected);
	free(got);
}

static void values(void **state)
{
	(void)state;
	assert_writes(dimg_unit_text, "100%", "100%%");
	assert_writes(dimg_unit_quote, "/srv/a b", "\"/srv/a b\"");
	assert_writes(dimg_unit_quote, "%h\"\\\n", "\"%%h\\\"\\\\\\x0a\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(paths),
		cmocka_unit_test(values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
