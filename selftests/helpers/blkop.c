// SPDX-License-Identifier: GPL-2.0
/*
 * Does the named operations on a file or block device, one after the other, and
 * tells the name of the errno of the first that fails. Each is one system call,
 * so that a test knows which request the driver sees.
 *
 * usage: blkop [-d] [-r] [-x] FILE OP[:ARG]...
 *   -d O_DIRECT  -r O_RDONLY  -x O_EXCL
 *   write:OFF:LEN:SEED   pattern bytes        dsync:...    the same, RWF_DSYNC
 *   nowait:...           the same, RWF_NOWAIT
 *   read:OFF:LEN:SEED    and compare          rnowait:...  the same, RWF_NOWAIT
 *   zero:OFF:LEN         read, all must be 0  leak:OFF:LEN read, no foreign byte
 *   fsync  fdatasync  discard:OFF:LEN  secdiscard:OFF:LEN  zeroout:OFF:LEN
 *   zerorange:OFF:LEN  punch:OFF:LEN  setro:0|1
 *   hold                 say "held" and wait for a signal
 *   goingdown            FS_IOC_SHUTDOWN without flushing the log
 *   canary:LEN           fill and free that much memory
 *   cached               print how many bytes of the file are in the page cache
 * Exit: 0; 1 and "ERRNO" on stdout; 2 bytes differ, too few, or wrong use.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#include "io.h"

#ifndef FS_IOC_SHUTDOWN
#define FS_IOC_SHUTDOWN	_IOR('X', 125, __u32)
#endif
#define SHUTDOWN_NOLOGFLUSH	2
#define TRANSFER_MAX	(64U << 20)
/* What memory holds before a read: neither zero nor any pattern's first byte. */
#define UNTOUCHED	0x54

static int fd;
static __u64 off, len, seed;
static unsigned char *buf;

static int differs(const char *what, size_t at)
{
	fprintf(stderr, "blkop: %s at %llu\n", what, (unsigned long long)(off + at));
	return 2;
}

/* 0, 1 with the errno printed, or 2 for a transfer that is too short. */
static int verdict(ssize_t n, __u64 want)
{
	if (n < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	if ((__u64)n == want)
		return 0;
	printf("SHORT %zd\n", n);
	return 2;
}

/* Makes buf.  Ranges may be absurd, transfers may not. */
static struct iovec transfer(void)
{
	if (len > TRANSFER_MAX) {
		fprintf(stderr, "blkop: no more than %u bytes at a time\n", TRANSFER_MAX);
		exit(2);
	}
	buf = aligned_buffer(len ? len : SECTOR);
	return (struct iovec) { .iov_base = buf, .iov_len = len };
}

static int do_write(int flags)
{
	struct iovec v = transfer();

	pattern_fill(buf, len, seed, off);
	return verdict(pwritev2(fd, &v, 1, off, flags), len);
}

static int do_read(int flags)
{
	struct iovec v = transfer();
	unsigned char *want;
	size_t i;
	int ret;

	memset(buf, UNTOUCHED, len);
	ret = verdict(preadv2(fd, &v, 1, off, flags), len);
	if (ret)
		return ret;
	want = aligned_buffer(len);
	pattern_fill(want, len, seed, off);
	for (i = 0; i < len; i++)
		if (buf[i] != want[i])
			return differs("wrong byte", i);
	free(want);
	return 0;
}

static int do_zero(void)
{
	size_t i;
	int ret;

	transfer();
	memset(buf, UNTOUCHED, len);
	ret = verdict(pread(fd, buf, len, off), len);
	for (i = 0; !ret && i < len; i++)
		if (buf[i])
			return differs("not zero", i);
	return ret;
}

/* Whatever the outcome, memory may hold only zeros and what was there before. */
static int do_leak(void)
{
	ssize_t n;
	size_t i;
	int err;

	transfer();
	memset(buf, UNTOUCHED, len);
	n = pread(fd, buf, len, off);
	err = errno;
	for (i = 0; i < len; i++)
		if (buf[i] && buf[i] != UNTOUCHED)
			return differs("foreign byte", i);
	errno = err;
	return verdict(n, len);
}

static int do_canary(void)
{
	unsigned char *p = mmap(NULL, off, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return verdict(-1, 0);
	memset(p, 0xa7, off);
	munmap(p, off);
	return 0;
}

static int do_cached(void)
{
	static unsigned char resident[65536];
	size_t pages, nr = 0, i;
	struct stat st;
	void *p;

	if (fstat(fd, &st) || !st.st_size)
		return verdict(-1, 0);
	pages = (st.st_size + 4095) / 4096;
	p = mmap(NULL, st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || pages > sizeof(resident) ||
	    mincore(p, st.st_size, resident))
		return verdict(-1, 0);
	for (i = 0; i < pages; i++)
		nr += resident[i] & 1;
	printf("%zu\n", nr * 4096);
	return 0;
}

static int do_range(unsigned long request)
{
	__u64 range[2] = { off, len };

	return verdict(ioctl(fd, request, range), 0);
}

static int do_fallocate(int mode)
{
	return verdict(fallocate(fd, mode, off, len), 0);
}

/* A regular file has no BLKDISCARD; a hole is what the driver makes of it. */
static int do_discard(void)
{
	struct stat st;

	if (!fstat(fd, &st) && S_ISREG(st.st_mode))
		return do_fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	return do_range(BLKDISCARD);
}

static int do_hold(void)
{
	printf("held\n");
	fflush(stdout);
	pause();
	return 0;
}

static int do_setro(void)
{
	int ro = off;

	return verdict(ioctl(fd, BLKROSET, &ro), 0);
}

static int do_goingdown(void)
{
	__u32 flags = SHUTDOWN_NOLOGFLUSH;

	return verdict(ioctl(fd, FS_IOC_SHUTDOWN, &flags), 0);
}

static int run(const char *op)
{
	if (!strcmp(op, "write"))
		return do_write(0);
	if (!strcmp(op, "dsync"))
		return do_write(RWF_DSYNC);
	if (!strcmp(op, "nowait"))
		return do_write(RWF_NOWAIT);
	if (!strcmp(op, "read"))
		return do_read(0);
	if (!strcmp(op, "rnowait"))
		return do_read(RWF_NOWAIT);
	if (!strcmp(op, "zero"))
		return do_zero();
	if (!strcmp(op, "leak"))
		return do_leak();
	if (!strcmp(op, "fsync"))
		return verdict(fsync(fd), 0);
	if (!strcmp(op, "fdatasync"))
		return verdict(fdatasync(fd), 0);
	if (!strcmp(op, "discard"))
		return do_discard();
	if (!strcmp(op, "secdiscard"))
		return do_range(BLKSECDISCARD);
	if (!strcmp(op, "zeroout"))
		return do_range(BLKZEROOUT);
	if (!strcmp(op, "zerorange"))
		return do_fallocate(FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE);
	if (!strcmp(op, "punch"))
		return do_fallocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE);
	if (!strcmp(op, "setro"))
		return do_setro();
	if (!strcmp(op, "hold"))
		return do_hold();
	if (!strcmp(op, "goingdown"))
		return do_goingdown();
	if (!strcmp(op, "canary"))
		return do_canary();
	if (!strcmp(op, "cached"))
		return do_cached();
	fprintf(stderr, "blkop: no operation '%s'\n", op);
	return 2;
}

/* One argument: OP[:OFF[:LEN[:SEED]]]. */
static int run_argument(char *arg)
{
	__u64 *to[] = { &off, &len, &seed };
	char *op = strtok(arg, ":"), *word;
	size_t i;
	int ret;

	off = 0;
	len = 0;
	seed = 1;
	for (i = 0; i < ARRAY_SIZE(to) && (word = strtok(NULL, ":")); i++)
		*to[i] = parse_size(word);
	ret = run(op);
	free(buf);
	buf = NULL;
	return ret;
}

int main(int argc, char **argv)
{
	int opt, flags = 0, mode = O_RDWR, ret = 0;

	while ((opt = getopt(argc, argv, "drx")) != -1) {
		switch (opt) {
		case 'd':
			flags |= O_DIRECT;
			break;
		case 'r':
			mode = O_RDONLY;
			break;
		case 'x':
			flags |= O_EXCL;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2) {
		fprintf(stderr, "usage: blkop [-d] [-r] [-x] FILE OP[:ARG]...\n");
		return 2;
	}
	fd = open(argv[optind], mode | flags | O_CLOEXEC);
	if (fd < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 1;
	}
	for (optind++; !ret && optind < argc; optind++)
		ret = run_argument(argv[optind]);
	return ret;
}
