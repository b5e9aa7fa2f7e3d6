// SPDX-License-Identifier: GPL-2.0
/*
 * Random operations on a device below which things fail, with a model that knows
 * what may be there nevertheless. Of each sector it keeps the versions that it can
 * have: a write that failed is old or new; an acknowledged one is certain when a
 * flush after it was, too, and a flush that failed makes what was written before
 * unsure for good. A read must show one of them, sector by sector, or fail.
 *
 * usage: unsure init FILE STATE LEN
 *        unsure load [-b] [-n] [-s] [-x COMMAND] DEVICE STATE BLOCK SEED SECONDS
 *        unsure check FILE STATE
 *   init   FILE gets the first version of LEN bytes, STATE (a file) knows them
 *   load   -b through the page cache of the device (default O_DIRECT); -n no discards
 *          and the like; -s nothing may fail; -x a command that may flush the device,
 *          so it counts as a flush that failed when it does. One load at a time for a
 *          device: an error of writeback is told to one flush only. BLOCK is the unit
 *          of all positions and lengths
 *   check  all of FILE, with O_DIRECT; each sector must be readable
 * The last line has the figures. Exit: 0; 1 something was found; 2 wrong use.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "io.h"
#include "ops.h"
#include "versions.h"

#define MAX_LEN		(512 * 1024)
#define MAX_TOLD	10
#define MAX_ERRNO	134

/* One more than others know: the command. */
#define CHANGE	NR_OPS
#define NR_ALL	(NR_OPS + 1)

static const char *name(enum op op)
{
	return op == CHANGE ? "change" : op_names[op];
}

static int dev, found, strict, no_holes;
static unsigned char *data, *want;
static const char *command;
static __u64 seed, draws;
static unsigned long done[NR_ALL], failed[NR_ALL], errnos[MAX_ERRNO];

static __u64 draw(__u64 below)
{
	return mix64(seed + ++draws * 0x9e3779b97f4a7c15ULL) % below;
}

static void die(const char *what)
{
	fprintf(stderr, "unsure: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void tell(const char *what, __u64 pos, __u64 len)
{
	if (++found <= MAX_TOLD)
		printf("FOUND: %s, %llu bytes at %llu\n", what,
		       (unsigned long long)len, (unsigned long long)pos);
}

static void content(unsigned char *buf, __u64 pos, __u32 version)
{
	if (version == ZEROS)
		memset(buf, 0, SECTOR);
	else
		pattern_fill(buf, SECTOR, version, pos);
}

static int is_version(const unsigned char *got, __u64 pos, __u32 version)
{
	content(want, pos, version);
	return !memcmp(got, want, SECTOR);
}

static void compare(const unsigned char *got, __u64 pos, __u64 end)
{
	struct sector *s;
	__u32 version;
	int i;

	for (; pos < end; pos += SECTOR, got += SECTOR) {
		s = sector_at(pos);
		for (i = s->nr; i && !is_version(got, pos, s->versions[i - 1]); i--)
			;
		if (i)
			continue;
		tell("neither old nor new", pos, SECTOR);
		if (found > MAX_TOLD)
			continue;
		for (version = 0; version <= state->last; version++)
			if (is_version(got, pos, version))
				printf("version %u, with", version);
		for (i = 0; i < s->nr; i++)
			printf(" %u", s->versions[i]);
		printf(" possible of %u\n", state->last);
	}
}

/* ---- operations ------------------------------------------------------------- */

static ssize_t run(enum op op, __u64 pos, __u64 len)
{
	if (op == CHANGE) {
		errno = EIO;
		return system(command) ? -1 : 0;
	}
	/* Without O_DIRECT: from below, if the pages are clean. */
	if (op == READ)
		posix_fadvise(dev, pos, len, POSIX_FADV_DONTNEED);
	return do_op(dev, op, data, pos, len);
}

/* @n of @len bytes were acknowledged; @ok if that is all that was asked for. */
static void learn(enum op op, __u64 pos, __u64 len, __u64 n, int ok)
{
	__u32 version = op == WRITE || op == DSYNC ? state->last : ZEROS;

	if (op == READ) {
		compare(data, pos, pos + n);
	} else if (op == FLUSH) {
		flushed(ok);
	} else if (op == DSYNC && ok) {
		only_version(pos, pos + len, version);
	} else {
		/* They may have been told of what was written before. */
		if ((op == DSYNC || op == CHANGE) && !ok)
			flushed(0);
		/*
		 * First of all they drop the pages of the range, and what was
		 * in these only is gone when they fail then.
		 */
		if (op > FLUSH && !ok)
			forget(pos, pos + len);
		add_version(pos, pos + n, version, 1);
		add_version(pos + n, pos + len, version, 0);
	}
}

static enum op choose(__u64 block, __u64 *pos, __u64 *len)
{
	enum op op = no_holes || draw(10) < 7 ? draw(4) : draw(command ? NR_ALL : NR_OPS);
	__u64 blocks = state->len / block, most = MAX_LEN / block;
	__u64 first = draw(blocks);

	if (most > blocks - first)
		most = blocks - first;
	/* Mostly short, sometimes long. */
	*len = block * (1 + draw(draw(3) && most > 16 ? 16 : most));
	*pos = first * block;
	if (op != READ && !room(*pos, *pos + *len))
		op = FLUSH;
	if (op == FLUSH || op == CHANGE)
		*pos = *len = 0;
	return op;
}

static void step(__u64 block)
{
	__u64 pos, len, n, i;
	enum op op = choose(block, &pos, &len);
	ssize_t ret;

	/* What no version has: a read that leaves it untouched is seen. */
	memset(data, 0x54, len);
	if (op == WRITE || op == DSYNC) {
		state->last++;
		for (i = 0; i < len; i += SECTOR)
			content(data + i, pos + i, state->last);
	}
	errno = 0;
	ret = run(op, pos, len);
	done[op]++;
	if (op <= READ && (!ret || ret > (ssize_t)len))
		tell("a transfer of nothing, or of too much", pos, len);
	n = ret < 0 ? 0 : (op <= READ ? (__u64)ret : len);
	if (ret < 0 || n != len) {
		failed[op]++;
		errnos[errno && errno < MAX_ERRNO ? errno : 0]++;
		if (strict && !(errno == EOPNOTSUPP && op >= DISCARD))
			tell(name(op), pos, len);
	}
	learn(op, pos, len, n - n % SECTOR, ret >= 0 && n == len);
}

static void figures(void)
{
	unsigned long ops = 0, bad = 0;
	int i;

	for (i = 0; i < NR_ALL; i++) {
		ops += done[i];
		bad += failed[i];
	}
	printf("load: %lu operations, %lu failed,", ops, bad);
	for (i = 0; i < NR_ALL; i++)
		printf(" %s %lu/%lu", name(i), failed[i], done[i]);
	printf("; errnos:");
	for (i = 0; i < MAX_ERRNO; i++)
		if (errnos[i])
			printf(" %s=%lu", i ? strerrorname_np(i) : "short", errnos[i]);
	printf("; %d found\n", found);
}

/* ---- commands --------------------------------------------------------------- */

static void map_state(const char *path, __u64 len)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | (len ? O_CREAT | O_TRUNC : 0), 0600);
	size_t size = sizeof(*state) + len / SECTOR * sizeof(struct sector);

	if (fd < 0)
		die(path);
	if (len && ftruncate(fd, size))
		die(path);
	if (!len)
		size = lseek(fd, 0, SEEK_END);
	state = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (state == MAP_FAILED)
		die(path);
	if (len)
		state->len = len;
	close(fd);
}

static void init(const char *path)
{
	__u64 pos, i;

	dev = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dev < 0)
		die(path);
	state->last = 1;
	for (pos = 0; pos < state->len; pos += MAX_LEN) {
		for (i = 0; i < MAX_LEN; i += SECTOR)
			content(data + i, pos + i, 1);
		if (pwrite(dev, data, MAX_LEN, pos) != MAX_LEN || fsync(dev))
			die(path);
	}
	only_version(0, state->len, 1);
}

static void check(const char *path)
{
	unsigned long unsure = 0;
	__u64 pos;

	dev = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (dev < 0)
		die(path);
	for (pos = 0; pos < state->len; pos += SECTOR)
		unsure += sector_at(pos)->nr > 1;
	for (pos = 0; pos < state->len; pos += MAX_LEN) {
		memset(data, 0x54, MAX_LEN);
		if (pread(dev, data, MAX_LEN, pos) != MAX_LEN)
			tell("unreadable", pos, MAX_LEN);
		else
			compare(data, pos, pos + MAX_LEN);
	}
	printf("%llu sectors, %lu of them unsure; %d found\n",
	       (unsigned long long)state->len / SECTOR, unsure, found);
}

static void load(const char *path, int flags, __u64 block, int seconds)
{
	time_t end = time(NULL) + seconds;

	dev = open(path, O_RDWR | O_CLOEXEC | flags);
	if (dev < 0)
		die(path);
	/* By that name failwork.ko knows it, when its own allocations shall fail. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE) ||
	    prctl(PR_SET_NAME, "unsure-fails"))
		die("mlockall, prctl");
	while (time(NULL) < end && !found)
		step(block);
	if (strict) {
		if (run(FLUSH, 0, 0))
			tell("flush at the end", 0, 0);
		else
			flushed(1);
	}
	figures();
}

int main(int argc, char **argv)
{
	int flags = O_DIRECT, opt;
	const char *what = argc > 1 ? argv[1] : "";

	argv++;
	argc--;
	while (argc > 0 && (opt = getopt(argc, argv, "bnsx:")) != -1) {
		if (opt == 'b')
			flags = 0;
		else if (opt == 'n')
			no_holes = 1;
		else if (opt == 's')
			strict = 1;
		else if (opt == 'x')
			command = optarg;
		else
			return 2;
	}
	argv += optind;
	argc -= optind;
	data = aligned_buffer(MAX_LEN);
	want = aligned_buffer(SECTOR);
	if (!strcmp(what, "init") && argc == 3) {
		map_state(argv[1], parse_size(argv[2]) / MAX_LEN * MAX_LEN);
		init(argv[0]);
	} else if (!strcmp(what, "check") && argc == 2) {
		map_state(argv[1], 0);
		check(argv[0]);
	} else if (!strcmp(what, "load") && argc == 5) {
		map_state(argv[1], 0);
		seed = parse_size(argv[3]);
		load(argv[0], flags, parse_size(argv[2]), parse_size(argv[4]));
	} else {
		fprintf(stderr, "unsure: the head of the source says how\n");
		return 2;
	}
	return found ? 1 : 0;
}
