/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What must hold whatever the fuzzer sends, looked at while its senders rest: the
 * list works and makes sense, each device shows its window of its file, the witness
 * has its settings and its bytes, everything else can be detached. And the verdict:
 * a fuzzer that was refused always has proven little, so what was reached counts.
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_CHECK_H
#define DIMGBLK_SELFTEST_FUZZ_CHECK_H

#include <ctype.h>
#include <stdarg.h>
#include <sys/sysmacros.h>
#include <time.h>

#include "fuzz-msg.h"

#define NR_SENDERS	6
#define FUZZ_CMDS	16
#define FUZZ_ERRNOS	134
#define CHECK_DEVICES	5000
#define CHECK_BYTES	4096
#define CHECK_COVERAGE	20000	/* so many messages reach every attribute */

struct tally {			/* of one sender */
	__u64 sent, dumps, failures;
	__u64 errnos[FUZZ_CMDS][FUZZ_ERRNOS];	/* [0]: no command of the family */
	__u64 accepted[FUZZ_CMDS][POLICY_MAX_ATTRS];
	char text[200];
	size_t last_len;
	unsigned char last[512];
};

struct shared {
	__u32 witness;
	struct tally tallies[NR_SENDERS];
};

struct check_device {
	__u64 v[DIMGBLK_A_MAX + 1];
	char name[64];
};

struct check {
	struct shared *shared;
	const struct genl_family *family;
	const struct policy *policy;
	const struct zoo *zoo;
	int sock, failures, hangs, witness_fd;
	long rounds, devices, compared;
	struct check_device witness, list[CHECK_DEVICES];
	int nr;
	size_t len;		/* of the witness */
	unsigned char *bytes, *now;
};

__attribute__((format(printf, 2, 3)))
static inline int check_fail(struct check *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("FAILED (round %ld): ", c->rounds);
	vprintf(format, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	c->failures++;
	return -1;
}

static inline int check_hang(struct check *c)
{
	int i;
	size_t n;

	c->hangs = 1;
	for (i = 0; i < NR_SENDERS; i++) {
		const struct tally *t = &c->shared->tallies[i];

		printf("sender %d, last message of %zu bytes:", i, t->last_len);
		for (n = 0; n < t->last_len && n < sizeof(t->last); n++)
			printf(" %02x", t->last[n]);
		printf("\n");
	}
	return check_fail(c, "a sender hangs");
}

/* What the senders complained of counts, too. */
static inline int check_failures(struct check *c)
{
	int i;

	for (i = 0; i < NR_SENDERS; i++) {
		struct tally *t = &c->shared->tallies[i];

		if (t->failures)
			check_fail(c, "%s (%llu times)", t->text, t->failures);
		t->failures = 0;
	}
	return c->failures;
}

static inline void check_read_device(struct check_device *d, const struct nlmsghdr *nlh)
{
	const struct nlattr *a;
	size_t len;

	memset(d, 0, sizeof(*d));
	for (a = msg_attrs(nlh); attr_ok(a, msg_end(nlh)); a = attr_next(a)) {
		len = a->nla_len - NLA_HDRLEN;
		if (attr_id(a) == DIMGBLK_A_NAME)
			memcpy(d->name, attr_data(a), len < 64 ? len : 63);
		if (attr_id(a) <= DIMGBLK_A_MAX)
			d->v[attr_id(a)] = attr_number(a);
	}
}

/* Sends @m and reads all of the answer into the list; 0 or a negative errno. */
static inline int check_ask(struct check *c, struct genl_msg *m)
{
	static struct genl_msg in;
	const struct nlmsghdr *nlh;
	int left, ret = genl_send(c->sock, m);

	c->nr = 0;
	while (!ret) {
		left = recv(c->sock, in.buf, sizeof(in.buf), 0);
		if (left < 0)
			return -errno;
		for (nlh = &in.nlh; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			if (c->nr < CHECK_DEVICES)
				check_read_device(&c->list[c->nr++], nlh);
		}
	}
	return ret;
}

static inline int check_list(struct check *c)
{
	static struct genl_msg m;

	genl_begin(&m, c->family->id, NLM_F_DUMP, DIMGBLK_CMD_DEVICE_GET);
	return check_ask(c, &m);
}

static inline int check_is_name(const char *s)
{
	if (*s == '.' || *s == '-')
		return 0;
	for (; *s; s++)
		if (!isalnum((unsigned char)*s) && !strchr("_.:+-", *s))
			return 0;
	return 1;
}

/* Numbers that no device may have. */
static inline void check_device(struct check *c, const struct check_device *d)
{
	const __u64 *v = d->v;
	__u64 block = v[DIMGBLK_A_LOGICAL_BLOCK_SIZE], offset = v[DIMGBLK_A_OFFSET];
	__u64 size = v[DIMGBLK_A_CAPACITY] * SECTOR, limit = v[DIMGBLK_A_SIZE_LIMIT];
	const char *what = NULL;

	if (block < SECTOR || block > 65536 || block & (block - 1))
		what = "block size";
	else if (offset % block || size % block || limit % block)
		what = "alignment";
	else if (!size || offset > LLONG_MAX || size > c->zoo->largest ||
		 offset + size > c->zoo->largest)
		what = "window";
	else if (limit && size > limit)
		what = "size beyond the limit";
	else if (v[DIMGBLK_A_INDEX] > 0xfffff || !v[DIMGBLK_A_DISKSEQ])
		what = "index or diskseq";
	else if (v[DIMGBLK_A_STATE] > DIMGBLK_STATE_DETACHED)
		what = "state";
	else if (!check_is_name(d->name))
		what = "name";
	if (what)
		check_fail(c, "%s of dimgblk%llu: offset %llu, size %llu, limit %llu, block %llu, name '%s'",
			   what, v[DIMGBLK_A_INDEX], offset, size, limit, block, d->name);
}

/* The image that is behind the device, or ZOO_IMAGES. */
static inline int check_which_image(const struct check *c, const struct check_device *d)
{
	dev_t dev = makedev(d->v[DIMGBLK_A_BACKING_MAJOR], d->v[DIMGBLK_A_BACKING_MINOR]);
	int i;

	for (i = 0; i < ZOO_IMAGES; i++)
		if (c->zoo->stats[i].st_dev == dev &&
		    c->zoo->stats[i].st_ino == d->v[DIMGBLK_A_BACKING_INODE])
			break;
	return i;
}

/* A block in the middle is the same on the device and in its file. */
static inline void check_contents(struct check *c, const struct check_device *d)
{
	unsigned char *mine = c->now, *theirs = c->now + CHECK_BYTES;
	__u64 size = d->v[DIMGBLK_A_CAPACITY] * SECTOR;
	__u64 pos = size / 2 / CHECK_BYTES * CHECK_BYTES;
	__u64 at = pos + d->v[DIMGBLK_A_OFFSET];
	int i = check_which_image(c, d), fd;
	char path[64];

	if (i == ZOO_IMAGES || pos + CHECK_BYTES > size)
		return;
	snprintf(path, sizeof(path), "/dev/dimgblk%llu", d->v[DIMGBLK_A_INDEX]);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return;
	/* Not of the file any more after a truncate: an error is right. */
	if (pread(c->zoo->images[i], theirs, CHECK_BYTES, at) == CHECK_BYTES) {
		if (pread(fd, mine, CHECK_BYTES, pos) != CHECK_BYTES)
			check_fail(c, "%s cannot be read at %llu: %m", path, pos);
		else if (memcmp(mine, theirs, CHECK_BYTES))
			check_fail(c, "%s at %llu is not zoo%d.img at %llu", path, pos, i, at);
		c->compared++;
	}
	close(fd);
}

static inline void check_witness(struct check *c, const struct check_device *d)
{
	static const int same[] = {
		DIMGBLK_A_DISKSEQ, DIMGBLK_A_OFFSET, DIMGBLK_A_SIZE_LIMIT, DIMGBLK_A_FLAGS,
		DIMGBLK_A_LOGICAL_BLOCK_SIZE, DIMGBLK_A_CAPACITY, DIMGBLK_A_STATE,
		DIMGBLK_A_BACKING_INODE, DIMGBLK_A_QUEUE_DEPTH,
	};
	char path[64];
	size_t i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(same); i++)
		if (d->v[same[i]] != c->witness.v[same[i]])
			check_fail(c, "attribute %d of the witness changed from %llu to %llu",
				   same[i], c->witness.v[same[i]], d->v[same[i]]);
	snprintf(path, sizeof(path), "/dev/dimgblk%u", c->shared->witness);
	fd = open(path, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0 || pread(fd, c->now, c->len, 0) != (ssize_t)c->len)
		check_fail(c, "the witness cannot be read: %m");
	else if (memcmp(c->now, c->bytes, c->len))
		check_fail(c, "the witness has other bytes");
	if (fd >= 0)
		close(fd);
	if (pread(c->witness_fd, c->now, c->len, 0) != (ssize_t)c->len ||
	    memcmp(c->now, c->bytes, c->len))
		check_fail(c, "the image of the witness has other bytes");
}

/* Lets go of all but the witness; what is detached meanwhile is as good. */
static inline void check_clean_up(struct check *c)
{
	static struct check_device all[CHECK_DEVICES];
	static struct genl_msg m;
	time_t end = time(NULL) + 60;
	int i, nr, ret;

	do {
		ret = check_list(c);
		if (ret)
			check_fail(c, "the list cannot be had: %s", strerror(-ret));
		nr = c->nr;
		memcpy(all, c->list, sizeof(all[0]) * nr);
		for (i = 0; i < nr; i++) {
			if (all[i].v[DIMGBLK_A_INDEX] == c->shared->witness)
				continue;
			genl_begin(&m, c->family->id, NLM_F_ACK, DIMGBLK_CMD_DEVICE_DETACH);
			genl_put_u32(&m, DIMGBLK_A_INDEX, all[i].v[DIMGBLK_A_INDEX]);
			genl_put_u32(&m, DIMGBLK_A_DETACH_MODE, DIMGBLK_DETACH_FORCED);
			ret = check_ask(c, &m);
			if (ret && ret != -ENODEV)
				check_fail(c, "forced detach: %s", strerror(-ret));
		}
	} while (nr > 1 && !c->failures && time(NULL) < end);
	if (nr != 1)
		check_fail(c, "%d devices where the witness should be alone", nr);
}

static inline void check_round(struct check *c)
{
	int i, ret = check_list(c), witnesses = 0;

	c->rounds++;
	if (ret)
		check_fail(c, "the list cannot be had: %s", strerror(-ret));
	for (i = 0; i < c->nr; i++) {
		if (c->list[i].v[DIMGBLK_A_INDEX] == c->shared->witness) {
			check_witness(c, &c->list[i]);
			witnesses++;
			continue;
		}
		check_device(c, &c->list[i]);
		check_contents(c, &c->list[i]);
		c->devices++;
	}
	if (witnesses != 1)
		check_fail(c, "%d witnesses", witnesses);
	check_clean_up(c);
	if (c->rounds % 50 == 0) {
		printf("round %ld: %ld devices seen, %ld blocks compared\n", c->rounds,
		       c->devices, c->compared);
		fflush(stdout);
	}
}

static inline void check_begin(struct check *c, struct shared *s,
			       const struct genl_family *f, const struct policy *p,
			       const struct zoo *z, const char *dir)
{
	char path[PATH_MAX];
	struct stat st;
	int i;

	c->shared = s;
	c->family = f;
	c->policy = p;
	c->zoo = z;
	c->sock = genl_open();
	snprintf(path, sizeof(path), "%s/witness.img", dir);
	c->witness_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (c->witness_fd < 0 || fstat(c->witness_fd, &st)) {
		perror(path);
		exit(2);
	}
	c->len = st.st_size;
	c->bytes = aligned_buffer(c->len);
	c->now = aligned_buffer(c->len + 2 * CHECK_BYTES);
	if (pread(c->witness_fd, c->bytes, c->len, 0) != (ssize_t)c->len || check_list(c))
		check_fail(c, "the beginning is not as it should be");
	for (i = 0; i < c->nr; i++)
		if (c->list[i].v[DIMGBLK_A_INDEX] == s->witness)
			c->witness = c->list[i];
}

#endif /* DIMGBLK_SELFTEST_FUZZ_CHECK_H */
