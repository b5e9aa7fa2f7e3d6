// SPDX-License-Identifier: GPL-2.0
/*
 * test-attachopt.c - unit tests of the options of attach, by getopt_long() and
 * by name, of the choice of a partition, and of what --reuse compares.
 *
 * The words that are printed go to stderr unread; exit codes count.
 */
#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "dimgsetup.h"

const char *dimg_command = "attach";
bool dimg_verbose;

#define GO_ON	(-1)

static bool is_given(const struct dimg_attach *a, int attr)
{
	return dimg_attach_is_given(a, attr);
}

static void values_by_name(void **state)
{
	struct dimg_attach a = { 0 };

	(void)state;
	assert_int_equal(dimg_attach_option(&a, "offset", "1M"), GO_ON);
	assert_int_equal(a.req.offset, 1048576);
	assert_true(is_given(&a, DIMGBLK_A_OFFSET));
	assert_int_equal(dimg_attach_option(&a, "sizelimit", "1KB"), GO_ON);
	assert_int_equal(a.req.size_limit, 1000);
	assert_int_equal(dimg_attach_option(&a, "device", "/dev/dimgblk7"), GO_ON);
	assert_int_equal(a.req.index, 7);
	assert_int_equal(dimg_attach_option(&a, "name", "x"), GO_ON);
	assert_string_equal(a.req.name, "x");
	assert_int_equal(dimg_attach_option(&a, "part", "root"), GO_ON);
	assert_string_equal(a.part, "root");
	assert_int_equal(dimg_attach_option(&a, "direct", NULL), GO_ON);
	assert_int_equal(a.req.direct, DIMGBLK_DIRECT_ON);
	assert_int_equal(dimg_attach_option(&a, "direct-io", "auto"), GO_ON);
	assert_int_equal(a.req.direct, DIMGBLK_DIRECT_AUTO);
	assert_int_equal(dimg_attach_option(&a, "no-lock", NULL), GO_ON);
	assert_true(a.no_lock);
}

static void switches_by_name(void **state)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} switches[] = {
		{ "read-only", DIMGBLK_FLAG_READ_ONLY },
		{ "ro", DIMGBLK_FLAG_READ_ONLY },
		{ "partscan", DIMGBLK_FLAG_PARTITION_SCAN },
		{ "auto-detach", DIMGBLK_FLAG_AUTO_DETACH },
		{ "autoclear", DIMGBLK_FLAG_AUTO_DETACH },
		{ "allow-overlap", DIMGBLK_FLAG_ALLOW_OVERLAP },
		{ "follow", DIMGBLK_FLAG_FOLLOW },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(switches) / sizeof(*switches); i++) {
		struct dimg_attach a = { 0 };

		assert_int_equal(dimg_attach_option(&a, switches[i].name, NULL),
				 GO_ON);
		assert_int_equal(a.req.flags, switches[i].flag);
		assert_int_equal(dimg_attach_option(&a, switches[i].name, "1"),
				 DIMG_EXIT_USAGE);
	}
}

static void sector_size_may_be_auto(void **state)
{
	struct dimg_attach a = { 0 };

	(void)state;
	assert_int_equal(dimg_attach_option(&a, "sector-size", "4K"), GO_ON);
	assert_int_equal(a.req.logical_block_size, 4096);
	assert_true(is_given(&a, DIMGBLK_A_LOGICAL_BLOCK_SIZE));
	assert_int_equal(dimg_attach_option(&a, "sector-size", "auto"), GO_ON);
	assert_false(is_given(&a, DIMGBLK_A_LOGICAL_BLOCK_SIZE));
	assert_int_equal(dimg_attach_option(&a, "sector-size", "4G"),
			 DIMG_EXIT_USAGE);
}

static void wrong_options_are_usage_errors(void **state)
{
	static const char *const wrong[][2] = {
		{ "nosuch", NULL }, { "", NULL }, { "offset", NULL },
		{ "offset", "" }, { "offset", "1Q" }, { "index", "-1" },
		{ "sizelimit", "99999999999999999999" }, { "name", "" },
		{ "part", "" }, { "direct", "maybe" }, { "device", "/dev/sda" },
		{ "device", "/dev/dimgblk0p1" }, { "queues", "many" },
		{ "sector-size", "big" },
	};
	struct dimg_attach a = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		assert_int_equal(dimg_attach_option(&a, wrong[i][0], wrong[i][1]),
				 DIMG_EXIT_USAGE);
}

static void getopt_takes_the_same(void **state)
{
	static const struct option more[] = {
		{ "json", no_argument, NULL, 'J' }, { NULL, 0, NULL, 0 }
	};
	struct option options[DIMG_LONGOPTS];
	struct dimg_attach a = { 0 };
	char line[] = "attach -r --json --offset=4K -b 512 --direct-io img";
	char *argv[9], *word, *rest = line;
	int opt, json = 0, argc = 0;

	(void)state;
	while ((word = strsep(&rest, " ")))
		argv[argc++] = word;
	argv[argc] = NULL;
	dimg_attach_longopts(more, options);
	optind = 0;
	while ((opt = getopt_long(argc, argv, DIMG_ATTACH_LETTERS, options,
				  NULL)) != -1) {
		int ret = dimg_attach_getopt(&a, opt, optarg);

		json += opt == 'J' && ret == -2;
		assert_true(ret == GO_ON || opt == 'J');
	}
	assert_int_equal(json, 1);
	assert_int_equal(optind, 7);
	assert_int_equal(a.req.flags, DIMGBLK_FLAG_READ_ONLY);
	assert_int_equal(a.req.offset, 4096);
	assert_int_equal(a.req.logical_block_size, 512);
	assert_int_equal(a.req.direct, DIMGBLK_DIRECT_ON);
}

static void partitions_match_by_all_their_names(void **state)
{
	const struct dimg_partition part = {
		.nr = 5, .name = (char *)"root",
		.uuid = (char *)"0fc63daf-01",
	};
	const struct dimg_probe fs = {
		.label = (char *)"Data", .uuid = (char *)"ABCD-0123",
	};
	const struct dimg_partition bare = { .nr = 6 };
	const struct dimg_probe nothing = { 0 };

	(void)state;
	assert_true(dimg_partition_matches("5", &part, &fs));
	assert_true(dimg_partition_matches("root", &part, &fs));
	assert_true(dimg_partition_matches("0FC63DAF-01", &part, &fs));
	assert_true(dimg_partition_matches("Data", &part, &fs));
	assert_true(dimg_partition_matches("abcd-0123", &part, &fs));
	assert_false(dimg_partition_matches("data", &part, &fs));
	assert_false(dimg_partition_matches("Root", &part, &fs));
	assert_false(dimg_partition_matches("6", &part, &fs));
	assert_false(dimg_partition_matches("4294967301", &part, &fs));
	assert_false(dimg_partition_matches("roo", &part, &fs));
	assert_false(dimg_partition_matches("root", &bare, &nothing));
}

static void reuse_compares_what_was_asked_for(void **state)
{
	struct dimg_device dev = {
		.logical_block_size = 512, .queue_depth = 128,
		.flags = DIMGBLK_FLAG_FOLLOW | DIMGBLK_FLAG_PARTITION_SCAN,
		.name = (char *)"a",
	};
	struct dimg_request req = { .queue_depth = 1 };
	char list[256];

	(void)state;
	dimg_reuse_differs(&req, &dev, list, sizeof(list));
	assert_string_equal(list, "");
	req.given = UINT64_C(1) << DIMGBLK_A_QUEUE_DEPTH;
	req.offset = 512;
	req.flags = DIMGBLK_FLAG_READ_ONLY;
	req.name = "b";
	dimg_reuse_differs(&req, &dev, list, sizeof(list));
	assert_string_equal(list, "offset, read-only, queue depth, name");
	dev.flags |= DIMGBLK_FLAG_AUTO_DETACH | DIMGBLK_FLAG_READ_ONLY;
	dev.name = NULL;
	dimg_reuse_differs(&req, &dev, list, sizeof(list));
	assert_string_equal(list, "offset, auto-detach, queue depth, name");
	dimg_reuse_differs(&req, &dev, list, 9);
	assert_string_equal(list, "offset, ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_by_name),
		cmocka_unit_test(switches_by_name),
		cmocka_unit_test(sector_size_may_be_auto),
		cmocka_unit_test(wrong_options_are_usage_errors),
		cmocka_unit_test(getopt_takes_the_same),
		cmocka_unit_test(partitions_match_by_all_their_names),
		cmocka_unit_test(reuse_compares_what_was_asked_for),
	};

	return cmocka_run_group_tests_name("attachopt", tests, NULL, NULL);
}
