/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What can be asked of a block device, one operation at a time, for the helpers that draw
 * at random, or of a file, with what the driver would make of it.  Owns the list of
 * operations, their names, and how each is asked for.
 */
#ifndef DIMGBLK_SELFTEST_OPS_H
#define DIMGBLK_SELFTEST_OPS_H

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/falloc.h>
#include <linux/fs.h>

#include "io.h"

/* The transfers come first; what makes zeros of a range follows FLUSH. */
enum op { WRITE, DSYNC, READ, FLUSH, DISCARD, ZEROOUT, ZERORANGE, PUNCH, NR_OPS };

static const char * const op_names[] = {
	[WRITE] = "write", [DSYNC] = "dsync", [READ] = "read", [FLUSH] = "flush",
	[DISCARD] = "discard", [ZEROOUT] = "zeroout", [ZERORANGE] = "zerorange",
	[PUNCH] = "punch",
};

/* Bytes for a transfer, else 0; -1 and errno. Only transfers use @data. */
static ssize_t do_op(int dev, enum op op, void *data, __u64 pos, __u64 len)
{
	struct iovec v = { .iov_base = data, .iov_len = len };
	__u64 range[2] = { pos, len };

	switch (op) {
	case WRITE:
		return pwrite(dev, data, len, pos);
	case DSYNC:
		return pwritev2(dev, &v, 1, pos, RWF_DSYNC);
	case READ:
		return pread(dev, data, len, pos);
	case FLUSH:
		return fsync(dev);
	case DISCARD:
		if (!ioctl(dev, BLKDISCARD, range))
			return 0;
		return errno == ENOTTY ? do_op(dev, PUNCH, data, pos, len) : -1;
	case ZEROOUT:
		if (!ioctl(dev, BLKZEROOUT, range))
			return 0;
		return errno == ENOTTY ? do_op(dev, ZERORANGE, data, pos, len) : -1;
	case ZERORANGE:
		return fallocate(dev, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
				 pos, len);
	default:
		return fallocate(dev, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				 pos, len);
	}
}

#endif /* DIMGBLK_SELFTEST_OPS_H */
