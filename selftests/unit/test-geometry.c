// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of kmod/geometry.c: the arithmetic that keeps every request in
 * the window [offset, offset + size) of the backing file.
 *
 * Each function meets its edge cases by hand, then numbers drawn around all
 * powers of two, with the answer worked out in 128 bits, where nothing
 * overflows.  The draw starts from a fixed seed, so a failure repeats.
 */

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "geometry.h"

#define ROUNDS		200000
#define PAGE		4096u
#define POS_MAX		((__u64)INT64_MAX)
#define POISON		0xdeadbeefdeadbeefULL

/* xorshift64: the same numbers on each machine and libc. */
static __u64 random_state = 88172645463325252ULL;

static __u64 random_bits(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* A number within 4 of a power of two, or any: that is where bugs live. */
static __u64 random_edge(void)
{
	__u64 power = 1ULL << (random_bits() % 64);

	switch (random_bits() % 4) {
	case 0:
		return power - (random_bits() % 4);
	case 1:
		return power + (random_bits() % 4);
	case 2:
		return power;
	default:
		return random_bits() >> (random_bits() % 64);
	}
}

static __u32 random_block_size(void)
{
	return 512u << (random_bits() % 4);
}

static struct dimgblk_geometry window(__u64 offset, __u64 limit, __u32 block)
{
	struct dimgblk_geometry geometry = {
		.offset = offset,
		.size_limit = limit,
		.logical_block_size = block,
	};

	return geometry;
}

static int check(__u64 offset, __u64 limit, __u32 block)
{
	struct dimgblk_geometry geometry = window(offset, limit, block);

	return dimgblk_geometry_check(&geometry);
}

static __u64 size_on(__u64 offset, __u64 limit, __u32 block, __u64 file_size)
{
	struct dimgblk_geometry geometry = window(offset, limit, block);

	return dimgblk_geometry_size(&geometry, file_size);
}

static void block_size_is_a_power_of_two_from_512_to_the_page(void **state)
{
	__u32 size;

	(void)state;
	for (size = 0; size <= 2 * PAGE + 1; size++)
		assert_int_equal(dimgblk_geometry_block_size_valid(size, PAGE),
				 size == 512 || size == 1024 || size == 2048 ||
				 size == 4096);
	assert_true(dimgblk_geometry_block_size_valid(65536, 65536));
	assert_false(dimgblk_geometry_block_size_valid(1u << 31, 65536));
	assert_false(dimgblk_geometry_block_size_valid(UINT32_MAX, 65536));
}

static void check_tells_overflow_from_misalignment(void **state)
{
	(void)state;
	assert_int_equal(check(0, 0, 512), 0);
	assert_int_equal(check(512, 1024, 512), 0);
	assert_int_equal(check(1, 0, 512), -EINVAL);
	assert_int_equal(check(0, 513, 512), -EINVAL);
	assert_int_equal(check(512, 0, 4096), -EINVAL);
	assert_int_equal(check(0, 512, 4096), -EINVAL);
	assert_int_equal(check(POS_MAX - 511, 0, 512), 0);
	assert_int_equal(check(POS_MAX, 0, 512), -EINVAL);
	assert_int_equal(check(POS_MAX + 1, 0, 512), -EOVERFLOW);
	assert_int_equal(check(UINT64_MAX, 0, 512), -EOVERFLOW);
	assert_int_equal(check(0, UINT64_MAX & ~511ULL, 512), -EOVERFLOW);
	assert_int_equal(check(POS_MAX - 511, 512, 512), -EOVERFLOW);
	assert_int_equal(check(UINT64_MAX - 511, 512, 512), -EOVERFLOW);
}

static void check_agrees_with_wide_arithmetic(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		__u64 offset = random_edge(), limit = random_edge();
		__u32 block = random_block_size();
		int expected = 0;

		if ((__uint128_t)offset + limit > POS_MAX)
			expected = -EOVERFLOW;
		else if (offset % block || limit % block)
			expected = -EINVAL;
		assert_int_equal(check(offset, limit, block), expected);
	}
}

static void size_is_what_the_file_has_in_whole_blocks(void **state)
{
	(void)state;
	assert_int_equal(size_on(0, 0, 512, 0), 0);
	assert_int_equal(size_on(0, 0, 512, 511), 0);
	assert_int_equal(size_on(0, 0, 512, 512), 512);
	assert_int_equal(size_on(0, 0, 512, 1023), 512);
	assert_int_equal(size_on(0, 0, 4096, 4095), 0);
	assert_int_equal(size_on(0, 0, 4096, 8191), 4096);
	assert_int_equal(size_on(512, 0, 512, 512), 0);
	assert_int_equal(size_on(512, 0, 512, 511), 0);
	assert_int_equal(size_on(512, 0, 512, 1536), 1024);
	/* The limit bounds, but promises nothing that the file has not. */
	assert_int_equal(size_on(0, 1024, 512, 4096), 1024);
	assert_int_equal(size_on(0, 4096, 512, 1024), 1024);
	assert_int_equal(size_on(512, 1024, 512, 1025), 512);
	assert_int_equal(size_on(0, 0, 512, UINT64_MAX), POS_MAX & ~511ULL);
}

static void size_stays_inside_file_and_limit(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		__u32 block = random_block_size();
		__u64 offset = random_edge() & POS_MAX & ~(block - 1ULL);
		__u64 limit = random_edge() & ~(block - 1ULL);
		__u64 file_size = random_edge() & POS_MAX;
		__u64 size, room;

		if (check(offset, limit, block))
			limit = 0;
		room = file_size > offset ? file_size - offset : 0;
		if (limit && room > limit)
			room = limit;
		size = size_on(offset, limit, block, file_size);
		assert_int_equal(size, room / block * block);
	}
}

static void map_refuses_each_byte_outside(void **state)
{
	__u64 pos = POISON;

	(void)state;
	assert_true(dimgblk_geometry_map(4096, 1024, 0, 1024, &pos));
	assert_int_equal(pos, 4096);
	assert_true(dimgblk_geometry_map(4096, 1024, 1, 512, &pos));
	assert_int_equal(pos, 4608);
	/* A flush has no length; at the end of the device it is still inside. */
	assert_true(dimgblk_geometry_map(4096, 1024, 2, 0, &pos));
	assert_int_equal(pos, 5120);

	pos = POISON;
	assert_false(dimgblk_geometry_map(4096, 1024, 1, 513, &pos));
	assert_false(dimgblk_geometry_map(4096, 1024, 2, 1, &pos));
	assert_false(dimgblk_geometry_map(4096, 1024, 3, 0, &pos));
	assert_false(dimgblk_geometry_map(0, 0, 0, 1, &pos));
	assert_false(dimgblk_geometry_map(0, 1024, UINT64_MAX, 512, &pos));
	/* 2^55 sectors are 2^64 bytes: the shift must not wrap to byte 0. */
	assert_false(dimgblk_geometry_map(0, 1024, 1ULL << 55, 512, &pos));
	assert_int_equal(pos, POISON);
}

static void map_agrees_with_wide_arithmetic(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		__u64 offset = random_edge() & POS_MAX;
		__u64 size = random_edge() % (POS_MAX - offset + 1);
		__u64 sector = random_edge(), pos = POISON;
		__u32 len = random_edge();
		bool inside = (__uint128_t)sector * 512 + len <= size;

		assert_int_equal(dimgblk_geometry_map(offset, size, sector, len,
						      &pos), inside);
		assert_int_equal(pos, inside ? offset + sector * 512 : POISON);
	}
}

static void overlap_needs_a_common_byte(void **state)
{
	(void)state;
	assert_true(dimgblk_geometry_overlap(0, 512, 0, 512));
	assert_true(dimgblk_geometry_overlap(0, 1024, 1023, 1));
	assert_true(dimgblk_geometry_overlap(512, 1, 0, 4096));
	assert_false(dimgblk_geometry_overlap(0, 512, 512, 512));
	assert_false(dimgblk_geometry_overlap(512, 512, 0, 512));
	/* An empty range inside another has no byte in common with it. */
	assert_false(dimgblk_geometry_overlap(256, 0, 0, 512));
	assert_false(dimgblk_geometry_overlap(0, 512, 256, 0));
	assert_true(dimgblk_geometry_overlap(POS_MAX - 1, 1, 0, POS_MAX));
	assert_false(dimgblk_geometry_overlap(0, POS_MAX - 1, POS_MAX - 1, 1));
}

static void overlap_agrees_with_wide_arithmetic(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		__u64 a = random_edge() & POS_MAX, b = random_edge() & POS_MAX;
		__u64 a_size = random_edge() % (POS_MAX - a + 1);
		__u64 b_size = random_edge() % (POS_MAX - b + 1);
		__uint128_t first = a > b ? a : b;
		__uint128_t end_a = (__uint128_t)a + a_size;
		__uint128_t end_b = (__uint128_t)b + b_size;
		bool common = first < (end_a < end_b ? end_a : end_b);

		assert_int_equal(dimgblk_geometry_overlap(a, a_size, b, b_size),
				 common);
		assert_int_equal(dimgblk_geometry_overlap(b, b_size, a, a_size),
				 common);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(block_size_is_a_power_of_two_from_512_to_the_page),
		cmocka_unit_test(check_tells_overflow_from_misalignment),
		cmocka_unit_test(check_agrees_with_wide_arithmetic),
		cmocka_unit_test(size_is_what_the_file_has_in_whole_blocks),
		cmocka_unit_test(size_stays_inside_file_and_limit),
		cmocka_unit_test(map_refuses_each_byte_outside),
		cmocka_unit_test(map_agrees_with_wide_arithmetic),
		cmocka_unit_test(overlap_needs_a_common_byte),
		cmocka_unit_test(overlap_agrees_with_wide_arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
