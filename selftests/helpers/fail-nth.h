/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fail-nth.c needs around its sweep: making the n-th allocation fail, one
 * message and its answer. Owns the state of a sweep and the judgement "found".
 */
#ifndef DIMGBLK_SELFTEST_FAIL_NTH_H
#define DIMGBLK_SELFTEST_FAIL_NTH_H

#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>

#include "genl.h"

#define IO_SIZE		32768
#define MOST_FOUND	10

/* LOST: the kernel could not tell what has become of the request. */
enum outcome { BEFORE, AFTER, LOST, NR_OUTCOMES };

/* How a device is attached. */
struct kind {
	const char *name;
	const char *label;
	__u32 flags;
	__u32 direct;
	__u32 block;
	__u32 queues;
	__u32 depth;
	__u64 offset;
	__u64 limit;
};

struct sweep {
	const struct kind *kind;
	const char *what;
	const char *path;
	int dry;
	int fd;			/* netlink socket */
	int fail_fd;		/* takes the count of the allocation to fail */
	int image;
	int listener;
	struct genl_family family;
	unsigned int n;
	int injected;		/* a failure was, in the operation of now */
	int error;		/* errno of the last refusal */
	unsigned int points;
	unsigned int rescans;	/* partitions that a second look brought */
	unsigned int outcomes[NR_OUTCOMES];
	int complete;
	int found;
	int refs;		/* of the module when nothing is attached */
	/* what the last answers told */
	int told;
	__u32 index;
	__u32 direct_in_use;
	int was_direct;
	unsigned long long image_size, old_size, new_size;
	char data[IO_SIZE] __attribute__((aligned(4096)));
	char other[IO_SIZE] __attribute__((aligned(4096)));
};

static inline const char *outcome_name(enum outcome outcome)
{
	static const char * const names[] = { "refused", "accepted", "answer lost" };

	return names[outcome];
}

__attribute__((format(printf, 2, 3)))
static inline void broken(struct sweep *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	printf("FOUND %s %s n=%u: ", s->what, s->kind ? s->kind->name : "-", s->n);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	if (++s->found >= MOST_FOUND) {
		printf("too much was found to go on\n");
		exit(1);
	}
}

/* ---- failures ------------------------------------------------------------------ */

static inline void arm(struct sweep *s, unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (n && !s->dry && pwrite(s->fail_fd, text, len, 0) != len) {
		perror("fail-nth: the count");
		exit(2);
	}
}

/* The number has counted down to 0 when the failure has been. */
static inline void disarm(struct sweep *s)
{
	char text[16] = "";

	if (s->dry)
		return;
	if (pread(s->fail_fd, text, sizeof(text) - 1, 0) < 1 ||
	    pwrite(s->fail_fd, "0", 1, 0) != 1) {
		perror("fail-nth: the count");
		exit(2);
	}
	s->injected = text[0] == '0';
}

static inline enum outcome answered(struct sweep *s, int error)
{
	s->error = -error;
	if (error && s->injected && error != -ENOMEM && error != -ENOBUFS &&
	    error != -EAGAIN)
		printf("# %s %s n=%u: %s\n", s->what, s->kind ? s->kind->name : "-",
		       s->n, strerrorname_np(-error));
	return error ? BEFORE : AFTER;
}

/* ---- one message and its answer ---------------------------------------------- */

static inline void note_device(struct sweep *s, const struct nlmsghdr *nlh)
{
	const char *p = (const char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN;
	const char *end = (const char *)nlh + nlh->nlmsg_len;

	s->told++;
	for (; p + NLA_HDRLEN <= end; p += NLA_ALIGN(((struct nlattr *)p)->nla_len)) {
		const struct nlattr *a = (const struct nlattr *)p;

		if (a->nla_type == DIMGBLK_A_INDEX)
			memcpy(&s->index, p + NLA_HDRLEN, 4);
		if (a->nla_type == DIMGBLK_A_DIRECT_IN_USE)
			memcpy(&s->direct_in_use, p + NLA_HDRLEN, 4);
	}
}

/* 1 when @nlh ends the answer, whose errno is @error. */
static inline int note_message(struct sweep *s, const struct nlmsghdr *nlh, int *error)
{
	if (nlh->nlmsg_type != NLMSG_ERROR && nlh->nlmsg_type != NLMSG_DONE) {
		note_device(s, nlh);
		return 0;
	}
	/* Both begin with it. */
	memcpy(error, NLMSG_DATA(nlh), sizeof(*error));
	return 1;
}

static inline enum outcome transact(struct sweep *s, unsigned int n, struct genl_msg *m)
{
	static struct genl_msg in;
	struct nlmsghdr *nlh;
	int left, error = 0, end = 0, lost = 0;

	s->told = 0;
	arm(s, n);
	error = genl_send(s->fd, m);
	while (!error && !end) {
		left = recv(s->fd, in.buf, sizeof(in.buf), lost ? MSG_DONTWAIT : 0);
		if (left < 0 && errno == ENOBUFS) {
			lost = 1;
			continue;
		}
		if (left < 0)
			break;
		for (nlh = &in.nlh; NLMSG_OK(nlh, (unsigned int)left) && !end;
		     nlh = NLMSG_NEXT(nlh, left))
			end = note_message(s, nlh, &error);
	}
	if (n)
		disarm(s);
	if (!error && !end && !lost)
		broken(s, "no answer: %s", strerror(errno));
	return !error && !end ? LOST : answered(s, error);
}

static inline void must(struct sweep *s, enum outcome got, const char *what)
{
	if (got != AFTER)
		broken(s, "%s: %s, with no failure asked for: %s", what,
		       outcome_name(got), strerror(s->error));
}

static struct genl_msg fail_nth_msg;

static inline enum outcome send_attach(struct sweep *s, unsigned int n)
{
	struct genl_msg *m = &fail_nth_msg;
	const struct kind *k = s->kind;
	enum outcome outcome;

	genl_begin(m, s->family.id, NLM_F_ACK, DIMGBLK_CMD_DEVICE_ATTACH);
	genl_put_u32(m, DIMGBLK_A_BACKING_FD, s->image);
	genl_put_u32(m, DIMGBLK_A_FLAGS, k->flags);
	genl_put_u32(m, DIMGBLK_A_DIRECT, k->direct);
	if (k->block)
		genl_put_u32(m, DIMGBLK_A_LOGICAL_BLOCK_SIZE, k->block);
	if (k->queues)
		genl_put_u32(m, DIMGBLK_A_NR_HW_QUEUES, k->queues);
	if (k->depth)
		genl_put_u32(m, DIMGBLK_A_QUEUE_DEPTH, k->depth);
	if (k->offset)
		genl_put(m, DIMGBLK_A_OFFSET, &k->offset, sizeof(k->offset));
	if (k->limit)
		genl_put(m, DIMGBLK_A_SIZE_LIMIT, &k->limit, sizeof(k->limit));
	if (k->label)
		genl_put(m, DIMGBLK_A_NAME, k->label, strlen(k->label) + 1);
	outcome = transact(s, n, m);
	/* Nobody would know its number. */
	if (outcome == AFTER && s->told != 1)
		broken(s, "attached, but the reply is lost");
	return outcome;
}

static inline enum outcome send_detach(struct sweep *s, unsigned int n, __u32 mode)
{
	struct genl_msg *m = &fail_nth_msg;

	genl_begin(m, s->family.id, NLM_F_ACK, DIMGBLK_CMD_DEVICE_DETACH);
	genl_put_u32(m, DIMGBLK_A_INDEX, s->index);
	genl_put_u32(m, DIMGBLK_A_DETACH_MODE, mode);
	return transact(s, n, m);
}

static inline enum outcome send_set(struct sweep *s, unsigned int n, __u16 what, __u32 v)
{
	struct genl_msg *m = &fail_nth_msg;

	genl_begin(m, s->family.id, NLM_F_ACK, DIMGBLK_CMD_DEVICE_SET);
	genl_put_u32(m, DIMGBLK_A_INDEX, s->index);
	genl_put(m, what, &v, what == DIMGBLK_A_RESIZE ? 0 : sizeof(v));
	return transact(s, n, m);
}

static inline enum outcome send_get(struct sweep *s, unsigned int n, __u16 dump)
{
	struct genl_msg *m = &fail_nth_msg;

	genl_begin(m, s->family.id, dump ? dump : NLM_F_ACK, DIMGBLK_CMD_DEVICE_GET);
	if (!dump)
		genl_put_u32(m, DIMGBLK_A_INDEX, s->index);
	return transact(s, n, m);
}

static inline long long number_in(const char *path)
{
	FILE *f = fopen(path, "re");
	long long v = -1;

	if (f) {
		if (fscanf(f, "%lld", &v) != 1)
			v = -1;
		fclose(f);
	}
	return v;
}

/* Bound, as events that name no sender go to no socket without a port. */
static inline int listener_open(struct sweep *s)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = genl_open();

	if (fd < 0 || bind(fd, (struct sockaddr *)&any, sizeof(any)))
		broken(s, "no socket: %s", strerror(errno));
	return fd;
}

static inline void sweep_open(struct sweep *s)
{
	struct stat st;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Ours is there when it is wanted only. */
	s->fail_fd = open("/proc/dimgblk-fail-nth", O_RDWR | O_CLOEXEC);
	if (s->fail_fd < 0)
		s->fail_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (s->fail_fd < 0 && !s->dry) {
		printf("neither /proc/self/fail-nth nor modules/failnth.ko is there\n");
		exit(4);
	}
	s->fd = genl_open();
	if (!s->kind)
		return;
	s->image = open(s->path, O_RDWR | O_CLOEXEC);
	if (s->fd < 0 || genl_resolve(s->fd, &s->family) || s->image < 0 ||
	    fstat(s->image, &st)) {
		printf("no driver or no image: %s\n", strerror(errno));
		exit(2);
	}
	s->image_size = st.st_size;
	s->refs = number_in("/sys/module/dimgblk/refcnt");
}

#endif /* DIMGBLK_SELFTEST_FAIL_NTH_H */
