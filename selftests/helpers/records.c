// SPDX-License-Identifier: GPL-2.0
/*
 * Writer and checker of the power-cut campaign, and its talk with the disk that
 * records (vm/power/disk.c), whose control disk is CONTROL.
 *
 * usage: records tell CONTROL WORD...           a command; prints the answer
 *        records map CONTROL IMAGE              tells where IMAGE is on its disk
 *        records make DIR AREA                  empty files for the threads
 *        records write [-z] [-s SECONDS] CONTROL SEED AREA TARGET...
 *        records leave [-z] SEED AREA BATCH TARGET
 *                                               thread 0's batch, not flushed
 *        records check [-z] TARGET... -- SEED AREA BATCH...
 *
 * TARGET is one per thread: FILE or DEVICE:OFFSET, each with AREA bytes. -z makes
 * holes, too. check is given the acknowledged batches, from the answer to "state". Exit: 0; 1
 * something acknowledged is not there, or foreign bytes; 2 anything else.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fiemap.h>
#include <linux/fs.h>

#include "records.h"

#define MAX_THREADS	8
#define MESSAGE		4096
/* Milliseconds in which all write, or only one of them. */
#define PHASE		250

struct writer {
	pthread_t thread;
	unsigned int nr;
	int fd;
	__u64 start;			/* of the area, in bytes */
	__u64 batches;
};

static int control = -1;
static __u64 seed, deadline;
static unsigned int sectors;
static bool zeroes;

static void __attribute__((noreturn)) fatal(const char *what)
{
	fprintf(stderr, "records: %s: %s\n", what, strerror(errno));
	exit(2);
}

static __u64 now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

static void open_control(const char *path)
{
	control = open(path, O_RDWR | O_DIRECT | O_CLOEXEC);
	if (control < 0)
		fatal(path);
}

static void __attribute__((format(printf, 1, 2))) tell(const char *format, ...)
{
	char *buf = aligned_buffer(MESSAGE);
	va_list args;

	memset(buf, 0, MESSAGE);
	va_start(args, format);
	vsnprintf(buf, MESSAGE, format, args);
	va_end(args);
	if (pwrite(control, buf, MESSAGE, 0) != MESSAGE)
		fatal("control disk");
	free(buf);
}

/* Print the answer. Return: exit status. */
static int hear(void)
{
	char *buf = aligned_buffer(MESSAGE);
	int ret;

	if (pread(control, buf, MESSAGE, 0) != MESSAGE)
		fatal("control disk");
	buf[MESSAGE - 1] = '\0';
	printf("%s", buf);
	ret = strncmp(buf, "error", 5) ? 0 : 2;
	free(buf);
	return ret;
}

static int do_tell(int argc, char **argv)
{
	char line[MESSAGE] = "";
	int i;

	if (argc < 2)
		return 2;
	open_control(argv[0]);
	for (i = 1; i < argc; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line), "%s%s",
			 i > 1 ? " " : "", argv[i]);
	tell("%s", line);
	return hear();
}

/* A block device is its own map. */
static int do_map(int argc, char **argv)
{
	struct { struct fiemap map; struct fiemap_extent e[64]; } m = {};
	struct stat st;
	unsigned int i;
	int fd;

	if (argc != 2)
		return 2;
	open_control(argv[0]);
	fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st))
		fatal(argv[1]);
	if (S_ISBLK(st.st_mode)) {
		tell("map 0 0 %lld", (long long)lseek(fd, 0, SEEK_END));
		return 0;
	}
	m.map.fm_length = FIEMAP_MAX_OFFSET;
	m.map.fm_flags = FIEMAP_FLAG_SYNC;
	m.map.fm_extent_count = ARRAY_SIZE(m.e);
	if (ioctl(fd, FS_IOC_FIEMAP, &m.map))
		fatal("FIEMAP");
	for (i = 0; i < m.map.fm_mapped_extents; i++) {
		if (m.e[i].fe_flags & ~FIEMAP_EXTENT_LAST) {
			errno = EINVAL;
			fatal("an extent that is not simply data");
		}
		tell("map %llu %llu %llu", m.e[i].fe_logical, m.e[i].fe_physical,
		     m.e[i].fe_length);
	}
	return 0;
}

/*
 * The file of the DSYNC writer is written whole, so that each of its writes is
 * a FUA write from the first one on.
 */
static int do_make(int argc, char **argv)
{
	char path[MESSAGE], *zero;
	__u64 size;
	int i, fd;

	if (argc != 2)
		return 2;
	size = parse_size(argv[1]);
	zero = aligned_buffer(size);
	memset(zero, 0, size);
	for (i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%d", argv[0], i);
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0 || ftruncate(fd, size))
			fatal(path);
		if (i % 3 == RECORDS_DIRECT_DSYNC &&
		    pwrite(fd, zero, size, 0) != (ssize_t)size)
			fatal(path);
		if (fsync(fd))
			fatal(path);
		close(fd);
	}
	free(zero);
	sync();
	return 0;
}

static void open_target(struct writer *w, char *target, int flags)
{
	char *colon = strchr(target, ':');

	if (colon) {
		*colon = '\0';
		w->start = parse_size(colon + 1);
	}
	w->fd = open(target, flags | O_CLOEXEC);
	if (w->fd < 0)
		fatal(target);
}

/* A hole, or where there can be none (block devices, now and then) zeros. */
static void make_zero(struct writer *w, __u64 off, __u64 len)
{
	if (!fallocate(w->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, off, len))
		return;
	if (fallocate(w->fd, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, off, len))
		fatal("making a hole");
}

static void write_range(struct writer *w, const struct records_range *r, __u64 *buf)
{
	struct iovec v = { .iov_base = buf, .iov_len = r->nr * SECTOR };
	__u64 off = w->start + (__u64)r->start * SECTOR;
	unsigned int i;

	if (r->zero) {
		make_zero(w, off, v.iov_len);
		return;
	}
	for (i = 0; i < r->nr; i++)
		records_fill(buf + i * RECORDS_WORDS, seed, w->nr, r->start + i,
			     w->batches);
	if (pwritev2(w->fd, &v, 1, off, w->nr % 3 == RECORDS_DIRECT_DSYNC ?
		     RWF_DSYNC : 0) != (ssize_t)v.iov_len)
		fatal("write");
}

/*
 * Now all write, then one alone, then the next one: what one thread's flush does must
 * not hide what another's did not do.
 */
static bool is_my_turn(const struct writer *w, __u64 time)
{
	unsigned int phase = time / PHASE % 4;

	return !phase || phase - 1 == w->nr % 3;
}

static void wait_for_turn(const struct writer *w)
{
	while (now() < deadline && !is_my_turn(w, now()))
		usleep(1000 * (PHASE - now() % PHASE));
}

static void *write_thread(void *arg)
{
	struct records_range r[RECORDS_MAX_RANGES];
	__u64 *buf = aligned_buffer(RECORDS_MAX_SECTORS * SECTOR);
	struct writer *w = arg;
	unsigned int i, n;

	for (wait_for_turn(w); now() < deadline; wait_for_turn(w)) {
		w->batches++;
		n = records_batch(r, seed, w->nr, w->batches, sectors, zeroes);
		for (i = 0; i < n; i++)
			write_range(w, &r[i], buf);
		if (w->nr % 3 == RECORDS_BUFFERED_FSYNC && fsync(w->fd))
			fatal("fsync");
		if (w->nr % 3 == RECORDS_DIRECT_FDATASYNC && fdatasync(w->fd))
			fatal("fdatasync");
		tell("ack %u %llu", w->nr, w->batches);
	}
	free(buf);
	return NULL;
}

static void set_area(const char *s, const char *area)
{
	seed = parse_size(s);
	sectors = parse_size(area) / SECTOR;
	if (sectors < RECORDS_MAX_SECTORS) {
		errno = EINVAL;
		fatal("area");
	}
}

static int do_write(int argc, char **argv)
{
	struct writer w[MAX_THREADS] = {};
	unsigned int i, n = argc - 3;

	if (argc < 4 || n > MAX_THREADS)
		return 2;
	open_control(argv[0]);
	set_area(argv[1], argv[2]);
	for (i = 0; i < n; i++) {
		w[i].nr = i;
		open_target(&w[i], argv[i + 3], O_RDWR |
			    (i % 3 == RECORDS_BUFFERED_FSYNC ? 0 : O_DIRECT));
	}
	tell("threads %u %llu %u", n, seed, sectors * SECTOR);
	deadline += now();
	for (i = 0; i < n; i++)
		if (pthread_create(&w[i].thread, NULL, write_thread, &w[i]))
			fatal("thread");
	for (i = 0; i < n; i++) {
		pthread_join(w[i].thread, NULL);
		printf("%s%llu", i ? " " : "", w[i].batches);
	}
	printf("\n");
	return 0;
}

/* For who promises to flush on our behalf. */
static int do_leave(int argc, char **argv)
{
	struct records_range r[RECORDS_MAX_RANGES];
	struct writer w = {};
	unsigned int i, n;
	__u64 *buf;

	if (argc != 4)
		return 2;
	set_area(argv[0], argv[1]);
	w.batches = strtoull(argv[2], NULL, 0);
	open_target(&w, argv[3], O_RDWR);
	buf = aligned_buffer(RECORDS_MAX_SECTORS * SECTOR);
	n = records_batch(r, seed, w.nr, w.batches, sectors, zeroes);
	for (i = 0; i < n; i++)
		write_range(&w, &r[i], buf);
	free(buf);
	return close(w.fd) ? 2 : 0;
}

static int check_area(struct writer *w, __u64 last)
{
	struct records_sector *want = calloc(sectors, sizeof(*want));
	__u64 *buf = aligned_buffer(sectors * SECTOR);
	unsigned int s, bad = 0;

	if (!want || pread(w->fd, buf, sectors * SECTOR, w->start) !=
	    (ssize_t)sectors * SECTOR)
		fatal("read");
	records_expect(want, sectors, seed, w->nr, last, zeroes);
	for (s = 0; s < sectors; s++)
		if (records_compare(&want[s], buf + s * RECORDS_WORDS, seed, w->nr,
				    s, bad >= 4))
			bad++;
	if (bad)
		fprintf(stderr, "thread %u: %u sectors are wrong\n", w->nr, bad);
	free(buf);
	free(want);
	return bad ? 1 : 0;
}

static int do_check(int argc, char **argv)
{
	struct writer w[MAX_THREADS] = {};
	int i, n = 0, ret = 0;

	while (n < argc && strcmp(argv[n], "--"))
		n++;
	if (!n || n > MAX_THREADS || argc < n + 3)
		return 2;
	set_area(argv[n + 1], argv[n + 2]);
	/* Fewer batches than threads: the cut came before the first was told. */
	for (i = 0; i < n; i++) {
		w[i].nr = i;
		open_target(&w[i], argv[i], O_RDONLY | O_DIRECT);
		ret |= check_area(&w[i], n + 3 + i < argc ?
				  strtoull(argv[n + 3 + i], NULL, 0) : 0);
		close(w[i].fd);
	}
	return ret;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int opt;

	argc--;
	argv++;
	deadline = 5000;
	while (argc > 0 && (opt = getopt(argc, argv, "+zs:")) != -1) {
		if (opt == 'z')
			zeroes = true;
		else if (opt == 's')
			deadline = strtod(optarg, NULL) * 1000;
		else
			return 2;
	}
	argc -= optind;
	argv += optind;
	if (!strcmp(what, "tell"))
		return do_tell(argc, argv);
	if (!strcmp(what, "map"))
		return do_map(argc, argv);
	if (!strcmp(what, "make"))
		return do_make(argc, argv);
	if (!strcmp(what, "write"))
		return do_write(argc, argv);
	if (!strcmp(what, "leave"))
		return do_leave(argc, argv);
	if (!strcmp(what, "check"))
		return do_check(argc, argv);
	fprintf(stderr, "usage: records tell|map|make|write|leave|check ...\n");
	return 2;
}
