// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of vm/power/crash.c: which states a power cut can leave on a disk with
 * a volatile cache. Each log is a few events; thousands of draws must give all states
 * that are allowed and no other.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "events.h"

#define SECTOR	512
#define SECTORS	8
#define DRAWS	4000

static char log_bytes[65536];
static size_t log_len;
static unsigned char image[SECTORS * SECTOR];

/* Append an event; a write is of sectors that hold @fill. */
static void add(enum power_event_type type, uint64_t id, unsigned int sector,
		unsigned int nr, unsigned int flags, int fill)
{
	struct power_event event = {
		.type = type, .flags = flags, .id = id, .off = sector * SECTOR,
		.len = nr * SECTOR,
		.data_len = type == POWER_WRITE ? nr * SECTOR : 0,
	};

	memcpy(log_bytes + log_len, &event, sizeof(event));
	log_len += sizeof(event);
	memset(log_bytes + log_len, fill, event.data_len);
	log_len += event.data_len;
}

static struct power_walk walk_all(bool lying)
{
	struct power_walk walk = {
		.start = log_bytes, .at = log_bytes, .end = log_bytes + log_len,
		.image = image, .size = sizeof(image), .lying = lying,
	};

	memset(image, 0, sizeof(image));
	while (power_step(&walk))
		;
	return walk;
}

static void apply(void *arg, uint64_t off, const void *data, size_t len)
{
	assert_true(off + len <= sizeof(image));
	memcpy((unsigned char *)arg + off, data, len);
}

/* The first byte of each sector after a cut at the end of the log. */
static void crash(const struct power_walk *walk, uint64_t seed, unsigned char *first)
{
	unsigned char state[sizeof(image)];
	unsigned int s;

	memcpy(state, walk->image, sizeof(state));
	power_crash(walk, seed, apply, state);
	for (s = 0; s < SECTORS; s++) {
		/* A sector is never mixed. */
		assert_memory_equal(state + s * SECTOR, state + s * SECTOR + 1,
				    SECTOR - 1);
		first[s] = state[s * SECTOR];
	}
}

static int begin(void **arg)
{
	(void)arg;
	log_len = 0;
	return 0;
}

/* How often sector @s holds @value after a cut. */
static unsigned int often(unsigned int s, unsigned char value, bool lying)
{
	struct power_walk walk = walk_all(lying);
	unsigned char first[SECTORS];
	unsigned int n = 0;
	uint64_t seed;

	for (seed = 0; seed < DRAWS; seed++) {
		crash(&walk, seed, first);
		n += first[s] == value;
	}
	free(walk.pending);
	return n;
}

static void flushed_write_stays(void **arg)
{
	(void)arg;
	add(POWER_WRITE, 1, 0, 2, 0, 0x11);
	add(POWER_DONE, 1, 0, 0, 0, 0);
	add(POWER_FLUSH, 2, 0, 0, 0, 0);
	assert_int_equal(often(0, 0x11, false), DRAWS);
	assert_int_equal(often(1, 0x11, false), DRAWS);
	/* Unless the disk lies. */
	assert_in_range(often(0, 0x11, true), DRAWS / 4, DRAWS * 3 / 4);
}

static void unflushed_write_is_lost_or_torn_or_there(void **arg)
{
	unsigned char first[SECTORS];
	bool seen[2][2] = {};
	struct power_walk walk;
	uint64_t seed;

	(void)arg;
	add(POWER_WRITE, 1, 0, 2, 0, 0x11);
	add(POWER_DONE, 1, 0, 0, 0, 0);
	walk = walk_all(false);
	for (seed = 0; seed < DRAWS; seed++) {
		crash(&walk, seed, first);
		seen[first[0] == 0x11][first[1] == 0x11] = true;
	}
	free(walk.pending);
	assert_true(seen[0][0] && seen[0][1] && seen[1][0] && seen[1][1]);
}

/* A flush that began before the write was acknowledged does not cover it. */
static void early_flush_covers_nothing(void **arg)
{
	(void)arg;
	add(POWER_WRITE, 1, 0, 1, 0, 0x11);
	add(POWER_DONE, 1, 0, 0, 0, 0);
	add(POWER_FLUSH, 1, 0, 0, 0, 0);
	assert_in_range(often(0, 0x11, false), DRAWS / 4, DRAWS * 3 / 4);
}

static void write_in_flight_is_not_covered(void **arg)
{
	(void)arg;
	add(POWER_WRITE, 1, 0, 1, 0, 0x11);
	add(POWER_FLUSH, 1, 0, 0, 0, 0);
	add(POWER_DONE, 1, 0, 0, 0, 0);
	assert_in_range(often(0, 0x11, false), DRAWS / 4, DRAWS * 3 / 4);
}

static void fua_write_stays_and_takes_nothing_along(void **arg)
{
	(void)arg;
	add(POWER_WRITE, 1, 0, 1, 0, 0x11);
	add(POWER_DONE, 1, 0, 0, 0, 0);
	add(POWER_WRITE, 2, 0, 1, 0, 0x22);
	add(POWER_DONE, 2, 0, 0, 0, 0);
	add(POWER_WRITE, 3, 1, 1, 0, 0x33);
	add(POWER_DONE, 3, 0, 0, 0, 0);
	add(POWER_WRITE, 4, 0, 1, POWER_FUA, 0x44);
	assert_in_range(often(0, 0x44, false), DRAWS / 4, DRAWS * 3 / 4);
	add(POWER_DONE, 4, 0, 0, 0, 0);
	assert_int_equal(often(0, 0x44, false), DRAWS);
	assert_in_range(often(1, 0x33, false), DRAWS / 4, DRAWS * 3 / 4);
}

static void of_two_writes_any_can_be_left(void **arg)
{
	(void)arg;
	add(POWER_WRITE, 1, 0, 1, 0, 0x11);
	add(POWER_DONE, 1, 0, 0, 0, 0);
	add(POWER_ZERO, 2, 0, 1, 0, 0);
	add(POWER_DONE, 2, 0, 0, 0, 0);
	add(POWER_WRITE, 3, 0, 1, 0, 0x33);
	add(POWER_DONE, 3, 0, 0, 0, 0);
	assert_true(often(0, 0, false) && often(0, 0x11, false) &&
		    often(0, 0x33, false));
}

static void torn_end_of_the_log_is_no_event(void **arg)
{
	struct power_walk walk;

	(void)arg;
	add(POWER_ACK, 1, 1, 0, 0, 0);
	add(POWER_WRITE, 1, 0, 1, 0, 0x11);
	log_len--;
	walk = walk_all(false);
	assert_int_equal(walk.seq, 1);
	assert_int_equal(walk.acks.batch[1], SECTOR);
	free(walk.pending);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(flushed_write_stays, begin),
		cmocka_unit_test_setup(unflushed_write_is_lost_or_torn_or_there, begin),
		cmocka_unit_test_setup(early_flush_covers_nothing, begin),
		cmocka_unit_test_setup(write_in_flight_is_not_covered, begin),
		cmocka_unit_test_setup(fua_write_stays_and_takes_nothing_along, begin),
		cmocka_unit_test_setup(of_two_writes_any_can_be_left, begin),
		cmocka_unit_test_setup(torn_end_of_the_log_is_no_event, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
