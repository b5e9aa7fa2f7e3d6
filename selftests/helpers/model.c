// SPDX-License-Identifier: GPL-2.0
/*
 * Does the same random operations to a device and to a model file, a plain file
 * that never saw the driver: writes, FUA writes, flushes, discards, both kinds
 * of write-zeroes, and reads that are compared at once. Afterwards the test
 * compares the whole model with the whole backing file, neighbours included.
 *
 * usage: model [-b] DEVICE MODEL OFFSET LEN SEED COUNT [BLOCK]
 *   -b  the device's page cache is used (default O_DIRECT)
 *   OFFSET, LEN  the window of the model that is the device
 *   BLOCK  every position and length is a multiple of it (default 512)
 * Exit: 0; 1 an operation failed; 2 a read differed from the model.
 */
#define _GNU_SOURCE
#include <errno.h>

#include "io.h"
#include "ops.h"

#define MAX_LEN	(256 * 1024)

static int dev, mod;
static unsigned char *data, *want;
static __u64 state;

static __u64 draw(__u64 below)
{
	state += 0x9e3779b97f4a7c15ULL;
	return mix64(state) % below;
}

static int on_device(enum op op, __u64 pos, __u64 len)
{
	return do_op(dev, op, data, pos, len) == (op <= READ ? (ssize_t)len : 0) ? 0 : -1;
}

static int on_model(enum op op, __u64 at, __u64 len)
{
	switch (op) {
	case FLUSH:
		return 0;
	case READ:
		if (pread(mod, want, len, at) != (ssize_t)len)
			return -1;
		return memcmp(data, want, len) ? -2 : 0;
	case WRITE:
	case DSYNC:
		break;
	default:
		memset(data, 0, len);
		break;
	}
	return pwrite(mod, data, len, at) == (ssize_t)len ? 0 : -1;
}

/* A backing file without holes refuses to make one; then nothing happened. */
static int refusal_is_fine(enum op op)
{
	return errno == EOPNOTSUPP && op >= DISCARD;
}

static int step(__u64 offset, __u64 size, __u64 block, __u64 seed)
{
	enum op op = draw(10) < 5 ? draw(3) : draw(NR_OPS);
	__u64 blocks = size / block, most = MAX_LEN / block;
	__u64 first = draw(8) ? draw(blocks) : 0;
	__u64 nr, pos, len;
	int ret;

	if (most > blocks - first)
		most = blocks - first;
	/* Mostly short, sometimes long, sometimes up to the very end. */
	nr = 1 + draw(draw(3) ? (most < 9 ? most : 9) : most);
	if (!draw(16))
		first = blocks - nr;
	pos = first * block;
	len = nr * block;

	pattern_fill(data, len, seed, pos);
	if (on_device(op, pos, len)) {
		if (refusal_is_fine(op))
			return 0;
		fprintf(stderr, "model: %s of %llu at %llu: %s\n", op_names[op],
			(unsigned long long)len, (unsigned long long)pos,
			strerror(errno));
		return 1;
	}
	ret = on_model(op, offset + pos, len);
	if (ret == -2)
		fprintf(stderr, "model: read of %llu at %llu differs\n",
			(unsigned long long)len, (unsigned long long)pos);
	else if (ret)
		perror("model: model file");
	return -ret;
}

int main(int argc, char **argv)
{
	__u64 offset, size, seed, count, block = SECTOR, i;
	int flags = O_DIRECT, ret = 0;

	if (argc > 1 && !strcmp(argv[1], "-b")) {
		flags = 0;
		argc--;
		argv++;
	}
	if (argc < 7) {
		fprintf(stderr,
			"usage: model [-b] DEVICE MODEL OFFSET LEN SEED COUNT [BLOCK]\n");
		return 1;
	}
	dev = open(argv[1], O_RDWR | O_CLOEXEC | flags);
	mod = open(argv[2], O_RDWR | O_CLOEXEC);
	if (dev < 0 || mod < 0) {
		perror("model: open");
		return 1;
	}
	offset = parse_size(argv[3]);
	size = parse_size(argv[4]);
	seed = parse_size(argv[5]);
	count = parse_size(argv[6]);
	if (argc > 7)
		block = parse_size(argv[7]);
	data = aligned_buffer(MAX_LEN);
	want = aligned_buffer(MAX_LEN);
	state = seed;

	for (i = 0; !ret && i < count; i++)
		ret = step(offset, size, block, seed + i);
	if (ret)
		fprintf(stderr, "model: seed %llu, step %llu\n",
			(unsigned long long)seed, (unsigned long long)i);
	/* Dirty pages of the device would come after the comparison. */
	if (!ret && fsync(dev)) {
		perror("model: fsync");
		ret = 1;
	}
	return ret;
}
