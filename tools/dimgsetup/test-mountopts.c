// SPDX-License-Identifier: GPL-2.0
/*
 * test-mountopts.c - the list behind -o: which option goes where, and what is
 * refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "dimgsetup.h"

/* main.c's, which is not part of this program */
const char *dimg_command;
bool dimg_verbose;

static struct dimg_mountopts o;
static struct dimg_attach a;

static int setup(void **state)
{
	(void)state;
	memset(&o, 0, sizeof(o));
	memset(&a, 0, sizeof(a));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dimg_mountopts_free(&o);
	return 0;
}

static void test_sorted(void **state)
{
	(void)state;
	assert_int_equal(dimg_mountopts_add(&o, "noatime,dimg.part=2,x-y=1,dimg.direct=off,data=ordered",
					    &a), -1);
	assert_string_equal(o.rest, "noatime,x-y=1,data=ordered");
	assert_string_equal(a.part, "2");
	assert_int_equal(a.req.direct, DIMGBLK_DIRECT_OFF);
	/* a second -o adds */
	assert_int_equal(dimg_mountopts_add(&o, "nosuid,dimg.name=n", &a), -1);
	assert_string_equal(o.rest, "noatime,x-y=1,data=ordered,nosuid");
	assert_string_equal(a.req.name, "n");
}

static void test_only_ours(void **state)
{
	(void)state;
	assert_int_equal(dimg_mountopts_add(&o, "dimg.offset=1M", &a), -1);
	assert_null(o.rest);
	assert_int_equal(a.req.offset, 1 << 20);
}

static void test_quoted(void **state)
{
	(void)state;
	assert_int_equal(dimg_mountopts_add(&o, "dimg.part=\"a,b\",context=\"c,d\"", &a), -1);
	assert_string_equal(a.part, "a,b");
	assert_string_equal(o.rest, "context=\"c,d\"");
}

static void test_noted(void **state)
{
	(void)state;
	assert_int_equal(dimg_mountopts_add(&o, "ro,nofail,remount,X-mount.mkdir=755", &a), -1);
	assert_true(o.read_only && o.nofail && o.remount && o.mkdir);
	/* the last word counts */
	assert_int_equal(dimg_mountopts_add(&o, "rw", &a), -1);
	assert_false(o.read_only);
	/* names are whole */
	assert_int_equal(dimg_mountopts_add(&o, "errors=remount-ro,rota", &a), -1);
	assert_false(o.read_only);
}

static void test_refused(void **state)
{
	static const char *const bad[] = {
		"loop", "loop=/dev/loop0", "offset=512", "sizelimit=1",
		"dimg.bogus", "dimg.offset=x", "dimg.part=", "dimg.ro=1",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(dimg_mountopts_add(&o, bad[i], &a),
				 DIMG_EXIT_USAGE);
	/* not ours, and not loop's, although they begin so */
	assert_int_equal(dimg_mountopts_add(&o, "loops,offsets=1,dimg", &a), -1);
}

static void test_sloppy(void **state)
{
	(void)state;
	o.sloppy = true;
	assert_int_equal(dimg_mountopts_add(&o, "dimg.bogus=1,dimg.part=3", &a), -1);
	assert_string_equal(a.part, "3");
	/* known ones with a wrong value are no less wrong */
	assert_int_equal(dimg_mountopts_add(&o, "dimg.offset=x", &a),
			 DIMG_EXIT_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sorted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quoted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sloppy, setup, teardown),
	};

	return cmocka_run_group_tests_name("mountopts", tests, NULL, NULL);
}
