// SPDX-License-Identifier: GPL-2.0
/*
 * copy.c - owns the copying of data between files, without their holes.
 *
 * copy_file_range() lets the kernel share or move the blocks; where it cannot,
 * plain reads and writes do it.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dimgsetup.h"

#define CHUNK	(1 << 20)
/* So much at once when somebody wants to know how it goes. */
#define STEP	(16 << 20)

/* Plain copy of a part; 0 or -errno. */
static int copy_plain(int from, uint64_t pos, int to, uint64_t to_pos,
		      uint64_t len, void *buf)
{
	while (len) {
		ssize_t n = pread(from, buf, len < CHUNK ? len : CHUNK, pos), done;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		for (done = 0; done < n;) {
			ssize_t w = pwrite(to, (char *)buf + done, n - done,
					   to_pos + done);

			if (w < 0 && errno != EINTR)
				return -errno;
			done += w > 0 ? w : 0;
		}
		pos += n;
		to_pos += n;
		len -= n;
	}
	return 0;
}

/* Copy a part that has no holes; 0 or -errno. */
static int copy_part(int from, uint64_t pos, int to, uint64_t to_pos,
		     uint64_t len, void *buf)
{
	while (len) {
		off64_t in = pos, out = to_pos;
		ssize_t n = copy_file_range(from, &in, to, &out, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return -errno;
		/* not between these files, or not on this kernel */
		if (n <= 0)
			return copy_plain(from, pos, to, to_pos, len, buf);
		pos += n;
		to_pos += n;
		len -= n;
	}
	return 0;
}

/* Copy a part in steps, with a word after each; 0 or -errno. */
static int copy_steps(int from, uint64_t pos, int to, uint64_t to_pos,
		      uint64_t len, void *buf, const struct dimg_copy_watch *w)
{
	uint64_t n;
	int ret = 0;

	for (; !ret && len; pos += n, to_pos += n, len -= n) {
		n = w && len > STEP ? STEP : len;
		ret = copy_part(from, pos, to, to_pos, n, buf);
		if (w)
			w->passed(w->arg, pos + n);
	}
	return ret;
}

/**
 * dimg_copy_data_watched - copy what a file has to another place, holes left out
 * @to_pos: where byte 0 of @from goes; what is there reads as zeros before
 * @size: bytes of @from
 * @w: told how far it has come, may be NULL
 *
 * Return: 0 or -errno.
 */
int dimg_copy_data_watched(int from, uint64_t size, int to, uint64_t to_pos,
			   const struct dimg_copy_watch *w)
{
	uint64_t pos = 0;
	void *buf = malloc(CHUNK);
	int ret = buf ? 0 : -ENOMEM;

	while (!ret && pos < size) {
		off_t data = lseek(from, pos, SEEK_DATA), hole;

		if (data < 0 && errno == ENXIO)
			break;
		/* a file system that does not know has no holes */
		if (data < 0)
			data = pos;
		hole = lseek(from, data, SEEK_HOLE);
		if (hole < 0 || (uint64_t)hole > size)
			hole = size;
		ret = copy_steps(from, data, to, to_pos + data, hole - data, buf, w);
		pos = hole;
	}
	free(buf);
	return ret;
}

/* dimg_copy_data - the same, with nobody watching. */
int dimg_copy_data(int from, uint64_t size, int to, uint64_t to_pos)
{
	return dimg_copy_data_watched(from, size, to, to_pos, NULL);
}
