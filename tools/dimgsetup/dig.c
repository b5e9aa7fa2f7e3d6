// SPDX-License-Identifier: GPL-2.0
/*
 * dig.c - owns the digging of holes where an image or a device has zeros only.
 *
 * A hole reads as what it takes the place of, so that every moment is a good one
 * to be killed. But who reads zeros and then digs must be alone: what somebody
 * else writes in between would be lost. To see to that is up to the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dimgsetup.h"

#define CHUNK		(1 << 20)
/* Smaller holes free nothing, most file systems have blocks of this size. */
#define BLOCK		4096

static bool is_zero(const char *buf, size_t len)
{
	return !buf[0] && !memcmp(buf, buf + 1, len - 1);
}

/*
 * May we dig what we saw? Whoever opens a leased file waits until we have let go, but not
 * for ever, and we may have been stopped, or kept waiting by the storage, after we looked.
 */
static bool is_alone(const struct dimg_dig *d)
{
	return !d->leased || fcntl(d->fd, F_GETLEASE) == F_WRLCK;
}

/* Before each hole: the one before it may have been kept waiting. */
static int punch(const struct dimg_dig *d, uint64_t start, uint64_t end)
{
	int ret;

	if (d->dry_run || start >= end)
		return 0;
	do {
		if (!is_alone(d))
			return -EBUSY;
		ret = fallocate(d->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				start, end - start);
	} while (ret && errno == EINTR);
	return ret ? -errno : 0;
}

/*
 * The next stretch of data at or after @pos. What lies in between reads as zeros
 * already, but may have space allocated for it.
 */
static void next_data(const struct dimg_dig *d, uint64_t pos, uint64_t *start,
		      uint64_t *end)
{
	off_t data, hole;

	*start = pos;
	*end = d->size;
	if (d->map_fd < 0)
		return;
	data = lseek(d->map_fd, d->map_offset + pos, SEEK_DATA);
	if (data < 0) {
		/* nothing but a hole up to the end; else the map is of no use */
		if (errno == ENXIO)
			*start = d->size;
		return;
	}
	hole = lseek(d->map_fd, data, SEEK_HOLE);
	*start = data - d->map_offset < d->size ? data - d->map_offset : d->size;
	/* whole blocks: the file may have others, or be shifted against ours */
	*start -= *start % BLOCK;
	if (*start < pos)
		*start = pos;
	if (hole >= 0 && hole - d->map_offset < d->size)
		*end = hole - d->map_offset;
	*end += -*end % BLOCK;
	if (*end > d->size)
		*end = d->size;
}

/* Read a chunk, all of it; 0 or -errno. */
static int read_chunk(const struct dimg_dig *d, char *buf, size_t len,
		      uint64_t pos)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(d->fd, buf + done, len - done, pos + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += n;
	}
	return 0;
}

/* Ctrl-Z and its like shall not come between is_alone() and the hole. */
static void block_stops(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	sigprocmask(how, &set, NULL);
}

/* Dig where one chunk of data is zero; neighbouring blocks get one hole. */
static int dig_chunk(struct dimg_dig *d, const char *buf, size_t len,
		     uint64_t pos)
{
	size_t at, n, first = 0;
	bool in_zeros = false;
	int ret = 0;

	for (at = 0; !ret && at < len; at += n) {
		n = len - at < BLOCK ? len - at : BLOCK;
		if (is_zero(buf + at, n) == in_zeros)
			continue;
		if (in_zeros) {
			ret = punch(d, pos + first, pos + at);
			d->zeros += at - first;
		}
		in_zeros = !in_zeros;
		first = at;
	}
	if (in_zeros && !ret) {
		ret = punch(d, pos + first, pos + len);
		d->zeros += len - first;
	}
	return ret;
}

/**
 * dimg_dig_alone - keep programs that take no lock from a file
 * @d: its @fd is set; @leased will be
 *
 * A lease is given when nobody else has the file open, and whoever opens it then
 * waits until dimg_dig() has let go. Not all file systems have that.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_dig_alone(struct dimg_dig *d, const char *path)
{
	/* the kernel's word that somebody waits; dimg_dig() asks for it */
	signal(SIGIO, SIG_IGN);
	d->leased = !fcntl(d->fd, F_SETLEASE, F_WRLCK);
	if (d->leased)
		return 0;
	if (errno == EAGAIN) {
		dimg_say(path, "in use: another program has it open; it was left as it is\n"
			 "End that program (\"fuser -v FILE\" names it to root), then try again.");
		return DIMG_EXIT_BUSY;
	}
	dimg_note(path, "cannot be kept from programs that take no lock: %s",
		  strerror(errno));
	return 0;
}

/**
 * dimg_dig - dig holes where there is nothing but zeros
 * @d: what and how; zeros is set to the bytes of data that were zeros
 *
 * Space that was allocated in advance and never written goes, too.
 *
 * Return: 0, or -errno; what was dug stays dug. -EBUSY: somebody opens the leased
 * file.
 */
int dimg_dig(struct dimg_dig *d)
{
	char *buf = aligned_alloc(BLOCK, CHUNK);
	uint64_t pos = 0, start, end;
	int ret = buf ? 0 : -ENOMEM;
	size_t len;

	d->zeros = 0;
	while (!ret && pos < d->size) {
		block_stops(SIG_BLOCK);
		next_data(d, pos, &start, &end);
		ret = is_alone(d) ? punch(d, pos, start) : -EBUSY;
		for (pos = start; !ret && pos < end; pos += len) {
			len = end - pos < CHUNK ? end - pos : CHUNK;
			ret = read_chunk(d, buf, len, pos);
			if (!ret)
				ret = is_alone(d) ? dig_chunk(d, buf, len, pos) : -EBUSY;
			/* a stop that came is taken here */
			block_stops(SIG_UNBLOCK);
			block_stops(SIG_BLOCK);
			/* seen once is enough */
			posix_fadvise(d->fd, pos, len, POSIX_FADV_DONTNEED);
			dimg_progress_update(d->progress, pos + len);
		}
	}
	block_stops(SIG_UNBLOCK);
	free(buf);
	return ret;
}
