// SPDX-License-Identifier: GPL-2.0
/*
 * fill.c - owns the three ways to give a new file its size: a hole (sparse),
 * reserved blocks (allocate), written zeros (zero).
 *
 * What the file system cannot do is refused or said, never replaced in silence:
 * glibc's posix_fallocate() would write a byte into each block instead.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "dimgsetup.h"

#define CHUNK		(1 << 20)
#define ALIGNMENT	4096
/* Written back this often, so that the bar tells of the disk, not of memory. */
#define SYNC_BYTES	(64 << 20)
/* exFAT has none in linux/magic.h of Debian 12 */
#define EXFAT_MAGIC	0x2011bab0

static const char * const words[] = {
	[DIMG_FILL_SPARSE] = "sparse",
	[DIMG_FILL_ALLOCATE] = "allocate",
	[DIMG_FILL_ZERO] = "zero",
};

/**
 * dimg_fill_option - read the value of --method
 *
 * Return: -1 to go on, else the exit code after the reason has been printed.
 */
int dimg_fill_option(const char *word, enum dimg_fill *method)
{
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(word, words[i])) {
			*method = i;
			return -1;
		}
	}
	return dimg_usage_error("--method takes sparse, allocate or zero, not \"%s\"",
				word);
}

/* Does the file system lack holes, so that each file takes all its blocks? */
static bool lacks_holes(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (fs.f_type == MSDOS_SUPER_MAGIC ||
				     fs.f_type == EXFAT_MAGIC);
}

/* Refuse what cannot fit, before hours are spent on it. */
static int check_room(const char *path, int fd, uint64_t size, bool holes)
{
	uint64_t room = dimg_room(fd, size);
	char need[8], have[8];

	if (size <= room)
		return 0;
	dimg_human_size(size, need, sizeof(need));
	dimg_human_size(room, have, sizeof(have));
	dimg_say(path, "%s are needed, the file system has %s free (%llu and %llu bytes)\n"
		 "Make room, or take a smaller size; %s.", need, have,
		 (unsigned long long)size, (unsigned long long)room,
		 holes ? "--method=sparse takes room as it is written" :
		 "this file system has no sparse files");
	return DIMG_EXIT_REFUSED;
}

static int fail_fill(const char *path, uint64_t size, const char *what)
{
	struct dimg_error e;

	dimg_error_set(&e, errno, "%s %llu bytes", what, (unsigned long long)size);
	return dimg_fail(path, &e);
}

static int fill_sparse(const char *path, int fd, uint64_t size)
{
	struct stat st;
	int ret = 0;

	if (lacks_holes(fd))
		ret = check_room(path, fd, size, false);
	if (ret)
		return ret;
	if (ftruncate(fd, size))
		return fail_fill(path, size, "the file system does not take a file of");
	if (!fstat(fd, &st) && (uint64_t)st.st_blocks * 512 >= size)
		dimg_say(path, "note: this file system has no sparse files; all blocks are allocated");
	return 0;
}

/* Warn of a file system that accepts the request and reserves nothing. */
static void check_allocated(const char *path, int fd, uint64_t size)
{
	char have[8], want[8];
	struct stat st;

	if (fstat(fd, &st) || (uint64_t)st.st_blocks * 512 >= size)
		return;
	dimg_human_size((uint64_t)st.st_blocks * 512, have, sizeof(have));
	dimg_human_size(size, want, sizeof(want));
	dimg_say(path, "warning: the file system shows only %s of %s as allocated: it compresses, or does not reserve room",
		 have, want);
}

static int fill_allocate(const char *path, int fd, uint64_t size)
{
	int ret = check_room(path, fd, size, true);

	if (ret)
		return ret;
	do
		ret = fallocate(fd, 0, 0, size);
	while (ret && errno == EINTR);
	if (ret && errno == EOPNOTSUPP) {
		dimg_say(path, "this file system cannot reserve blocks: %s\n"
			 "Take --method=zero, which writes them, or --method=sparse.",
			 strerror(errno));
		return DIMG_EXIT_REFUSED;
	}
	if (ret)
		return fail_fill(path, size, "cannot allocate");
	check_allocated(path, fd, size);
	return 0;
}

/* Direct I/O keeps the page cache for others; 0 if it cannot be had. */
static bool set_direct(int fd, bool on)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 &&
	       !fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT);
}

/* One chunk at @pos, all of it; 0 or -errno. */
static int write_zeros(int fd, const void *zeros, uint64_t pos, size_t len,
		       bool *direct)
{
	while (len) {
		ssize_t n;

		/* the end of the image, or of a short write */
		if (*direct && (pos % ALIGNMENT || len % ALIGNMENT))
			*direct = !set_direct(fd, false);
		n = pwrite(fd, zeros, len, pos);
		if (n < 0 && errno == EINVAL && *direct) {
			*direct = !set_direct(fd, false);
			continue;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			pos += n;
			len -= n;
		}
	}
	return 0;
}

static int write_all_zeros(int fd, uint64_t size, void *zeros,
			   struct dimg_progress *p, bool *direct)
{
	uint64_t pos = 0, synced = 0;
	int ret = 0;

	while (pos < size && !ret) {
		size_t len = size - pos < CHUNK ? size - pos : CHUNK;

		ret = write_zeros(fd, zeros, pos, len, direct);
		pos += ret ? 0 : len;
		if (!ret && !*direct && pos - synced >= SYNC_BYTES) {
			ret = fdatasync(fd) ? -errno : 0;
			synced = pos;
		}
		dimg_progress_update(p, pos);
	}
	return ret;
}

static int fill_zero(const char *path, int fd, uint64_t size,
		     struct dimg_progress *p)
{
	bool direct, was_direct;
	void *zeros;
	int ret;

	ret = check_room(path, fd, size, true);
	if (ret)
		return ret;
	zeros = aligned_alloc(ALIGNMENT, CHUNK);
	if (!zeros)
		return fail_fill(path, CHUNK, "no memory for");
	memset(zeros, 0, CHUNK);
	direct = set_direct(fd, true);
	was_direct = direct;
	dimg_progress_begin(p, "zero", size);
	ret = write_all_zeros(fd, size, zeros, p, &direct);
	if (!ret && fsync(fd))
		ret = -errno;
	dimg_progress_end(p, !ret);
	set_direct(fd, false);
	free(zeros);
	dimg_note(path, "zeros were written %s the page cache",
		  was_direct ? "past" : "through");
	if (!ret) {
		check_allocated(path, fd, size);
		return 0;
	}
	errno = -ret;
	return fail_fill(path, size, "cannot write");
}

/**
 * dimg_fill - give a new, empty file its size
 * @path: for messages
 * @p: shows how far the zeros have come; the other ways take no time
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_fill(const char *path, int fd, uint64_t size, enum dimg_fill method,
	      struct dimg_progress *p)
{
	switch (method) {
	case DIMG_FILL_ALLOCATE:
		return fill_allocate(path, fd, size);
	case DIMG_FILL_ZERO:
		return fill_zero(path, fd, size, p);
	default:
		return fill_sparse(path, fd, size);
	}
}
