// SPDX-License-Identifier: GPL-2.0
/*
 * test-size.c - the arithmetic of create and resize: sizes and differences
 * (size.c), the size of a last partition (ptable.c), labels and UUIDs (mkfs.c).
 *
 * Broken, an image or a partition would have another size than was asked for,
 * or a label would be cut by mkfs after the image was made.
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

#define MIB	(UINT64_C(1) << 20)
#define ROUNDS	100000

static void sizes_are_whole_sectors(void **state)
{
	static const char * const bad[] = {
		"0", "1", "511", "513", "1KB", "-1G", "+1G", "", "x", "9E",
		"8E", "18446744073709551615", "99999999999999999999",
	};
	uint64_t bytes = 4711;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(dimg_size_parse(bad[i], &bytes), DIMG_EXIT_USAGE);
	/* a refused size leaves nothing behind */
	assert_int_equal(bytes, 4711);
	assert_int_equal(dimg_size_parse("512", &bytes), 0);
	assert_int_equal(bytes, 512);
	assert_int_equal(dimg_size_parse("40GB", &bytes), 0);
	assert_int_equal(bytes, UINT64_C(40000000000));
	assert_int_equal(dimg_size_parse("9223372036854775296", &bytes), 0);
	assert_int_equal(bytes, (uint64_t)INT64_MAX - 511);
}

static int apply(const char *arg, uint64_t old, uint64_t *bytes)
{
	struct dimg_size_change c;

	assert_int_equal(dimg_size_change_parse(arg, &c), 0);
	return dimg_size_change_apply(&c, old, bytes);
}

static void differences_count_from_the_old_size(void **state)
{
	uint64_t bytes = 4711;

	(void)state;
	assert_int_equal(apply("+10G", MIB, &bytes), 0);
	assert_int_equal(bytes, MIB + 10 * 1024 * MIB);
	assert_int_equal(apply("-512", 1024, &bytes), 0);
	assert_int_equal(bytes, 512);
	assert_int_equal(apply("64M", 1, &bytes), 0);
	assert_int_equal(bytes, 64 * MIB);
	/* the odd end of a file is not made part of the disk */
	assert_int_equal(apply("+512", 1000, &bytes), 0);
	assert_int_equal(bytes, 1024);
	bytes = 4711;
	assert_int_equal(apply("-1M", MIB, &bytes), -ERANGE);
	assert_int_equal(apply("-2M", MIB, &bytes), -ERANGE);
	assert_int_equal(apply("-1K", 1100, &bytes), -ERANGE);
	assert_int_equal(apply("+7E", UINT64_C(7) << 60, &bytes), -ERANGE);
	assert_int_equal(apply("+512", INT64_MAX, &bytes), -ERANGE);
	assert_int_equal(bytes, 4711);
}

static void last_partition_ends_at_a_mib(void **state)
{
	(void)state;
	/* a GPT of 64 MiB keeps 33 sectors at the end */
	assert_int_equal(dimg_ptable_size(MIB, 0, 64 * MIB - 33 * 512), 62 * MIB);
	/* larger, and smaller */
	assert_int_equal(dimg_ptable_size(MIB, 62 * MIB, 96 * MIB - 33 * 512), 94 * MIB);
	assert_int_equal(dimg_ptable_size(MIB, 94 * MIB, 64 * MIB - 33 * 512), 62 * MIB);
	/* one that ended past the last MiB keeps what it has */
	assert_int_equal(dimg_ptable_size(MIB, 63 * MIB - 33 * 512, 64 * MIB - 33 * 512),
			 63 * MIB - 33 * 512);
	/* nothing left */
	assert_int_equal(dimg_ptable_size(64 * MIB, 10 * MIB, 64 * MIB), 0);
	assert_int_equal(dimg_ptable_size(65 * MIB, 10 * MIB, 64 * MIB), 0);
}

/* Whatever the numbers: within the disk, and never less than it was if it fits. */
static void last_partition_stays_on_the_disk(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		uint64_t start = (uint64_t)random() * 512;
		uint64_t old = (uint64_t)random() * 512;
		uint64_t end = (uint64_t)random() * 1024;
		uint64_t size = dimg_ptable_size(start, old, end);

		assert_true(!size || (end > start && size <= end - start));
		if (end >= start + old)
			assert_true(size >= old);
		assert_int_equal(size % 512, 0);
	}
}

/* On a smaller disk a partition in front of the cut stays as it is. */
static void smaller_disks_make_no_partition_larger(void **state)
{
	int i;

	(void)state;
	assert_int_equal(dimg_ptable_size_smaller(MIB, 100 * MIB, 200 * MIB - 33 * 512),
			 100 * MIB);
	assert_int_equal(dimg_ptable_size_smaller(MIB, 299 * MIB, 200 * MIB - 33 * 512),
			 198 * MIB);
	for (i = 0; i < ROUNDS; i++) {
		uint64_t old = (uint64_t)random() * 512;

		assert_true(dimg_ptable_size_smaller((uint64_t)random() * 512, old,
						     (uint64_t)random() * 1024) <= old);
	}
}

static int check(const char *type, const char *label, const char *uuid)
{
	struct dimg_mkfs m = { .type = type, .label = label, .uuid = uuid };

	return dimg_mkfs_check(&m);
}

static void labels_are_those_of_the_file_system(void **state)
{
	char label[257];

	(void)state;
	memset(label, 'a', sizeof(label));
	label[256] = '\0';
	assert_int_equal(check("btrfs", label, NULL), DIMG_EXIT_USAGE);
	label[17] = '\0';
	assert_int_equal(check("ext4", label, NULL), DIMG_EXIT_USAGE);
	label[13] = '\0';
	assert_int_equal(check("xfs", label, NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", "TWELVE CHARS", NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", "lower", NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", "A/B", NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", "\xc3\x84", NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("ext4", "", NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("ext4", "a\nb", NULL), DIMG_EXIT_USAGE);
	assert_int_equal(check("ntfs", NULL, NULL), DIMG_EXIT_USAGE);
	/* right ones: what is left to fail is a missing program */
	assert_int_not_equal(check("vfat", "ELEVENCHARS", "1234-abcd"), DIMG_EXIT_USAGE);
	assert_int_not_equal(check("ext4", "sixteen-bytes-ok", NULL), DIMG_EXIT_USAGE);
}

static void uuids_have_their_form(void **state)
{
	static const char * const bad[] = {
		"", "random", "time", "0a1b2c3d-0123-4567-89ab-0a1b2c3d4e5",
		"0a1b2c3d-0123-4567-89ab-0a1b2c3d4e5f0", "1234-ABCD",
		"0a1b2c3d+0123-4567-89ab-0a1b2c3d4e5f",
		"0a1b2c3d-0123-4567-89ab-0a1b2c3d4e5g",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(check("ext4", NULL, bad[i]), DIMG_EXIT_USAGE);
	assert_int_not_equal(check("xfs", NULL, "0a1b2c3d-0123-4567-89ab-0A1B2C3D4E5F"),
			     DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", NULL, "1234-ABC"), DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", NULL, "123-4ABCD"), DIMG_EXIT_USAGE);
	assert_int_equal(check("vfat", NULL, "1234ABCDE"), DIMG_EXIT_USAGE);
	assert_int_not_equal(check("vfat", NULL, "1234ABCD"), DIMG_EXIT_USAGE);
}

static uint64_t number(const char *said, const char *key)
{
	struct dimg_run run = { 0 };

	snprintf(run.said, sizeof(run.said), "%s", said);
	return dimg_run_number(&run, key);
}

/* Labels and paths come first, and whoever made the image chose them. */
static void numbers_are_those_of_their_own_line(void **state)
{
	static struct dimg_run full;

	(void)state;
	assert_int_equal(number("Filesystem volume name:   Block count: 9\n"
				"Last mounted on:          /Block count: 8\n"
				"Block count:              65536\n", "Block count"), 65536);
	assert_int_equal(number("label\t\t\tdev_item.total_bytes 9\n"
				"total_bytes\t\t7\n"
				"dev_item.total_bytes\t209715200\n",
				"dev_item.total_bytes"), 209715200);
	assert_int_equal(number("dblocks = 81920\nblocksize = 4096\n", "dblocks"), 81920);
	assert_int_equal(number("dblocks = 81920\nblocksize = 4096", "blocksize"), 4096);
	/* a label with a line break: nobody knows which is true */
	assert_int_equal(number("Filesystem volume name:   a\nBlock count: 9\n"
				"Block count:              65536\n", "Block count"), 0);
	assert_int_equal(number("Block counts:  5\n", "Block count"), 0);
	assert_int_equal(number("Block count:\n", "Block count"), 0);
	assert_int_equal(number("Block count65536\n", "Block count"), 0);
	assert_int_equal(number("", "Block count"), 0);
	/* the beginning was lost */
	memset(full.said, '\n', sizeof(full.said) - 1);
	memcpy(full.said, "\nBlock count: 9\n", 16);
	assert_int_equal(dimg_run_number(&full, "Block count"), 0);
	full.said[sizeof(full.said) - 2] = '\0';
	assert_int_equal(dimg_run_number(&full, "Block count"), 9);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_whole_sectors),
		cmocka_unit_test(differences_count_from_the_old_size),
		cmocka_unit_test(last_partition_ends_at_a_mib),
		cmocka_unit_test(last_partition_stays_on_the_disk),
		cmocka_unit_test(smaller_disks_make_no_partition_larger),
		cmocka_unit_test(labels_are_those_of_the_file_system),
		cmocka_unit_test(uuids_have_their_form),
		cmocka_unit_test(numbers_are_those_of_their_own_line),
	};

	return cmocka_run_group_tests_name("size", tests, NULL, NULL);
}
