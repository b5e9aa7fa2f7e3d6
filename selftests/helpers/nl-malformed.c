// SPDX-License-Identifier: GPL-2.0
/*
 * Sweeps over messages that the dimgblk family has to refuse; far too many for
 * one process each. A message that is accepted, or answered with an errno that
 * is not in the contract, is printed and makes the run fail.
 *
 * usage: nl-malformed missing|types|raw FD | garbage COUNT SEED | swap COUNT A B
 *   missing  every subset of attributes that lacks a required one
 *   types    every attribute of every command with every wrong length, unknown
 *            and nested attributes; the rest of the message is good (FD is an
 *            image), so a driver that overlooks the bad one would attach
 *   raw      lying lengths, cut headers, trailing bytes
 *   garbage  random messages; any answer will do, no attach may succeed
 *   swap     attach a descriptor that a second thread keeps replacing; the image
 *            attached must be one of the files A and B
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include "genl.h"

#define ABSENT_INDEX	1048575	/* legal, and no test attaches it meanwhile */

static struct genl_msg msg, in;
static struct genl_family family;
static int sock, image_fd, failures, sent;

static const __u8 attach_ids[] = {
	DIMGBLK_A_INDEX, DIMGBLK_A_BACKING_FD, DIMGBLK_A_OFFSET,
	DIMGBLK_A_SIZE_LIMIT, DIMGBLK_A_LOGICAL_BLOCK_SIZE, DIMGBLK_A_FLAGS,
	DIMGBLK_A_DIRECT, DIMGBLK_A_NR_HW_QUEUES, DIMGBLK_A_QUEUE_DEPTH,
	DIMGBLK_A_NAME,
};

static const __u8 detach_ids[] = {
	DIMGBLK_A_INDEX, DIMGBLK_A_DISKSEQ, DIMGBLK_A_DETACH_MODE,
};

static const __u8 get_ids[] = { DIMGBLK_A_INDEX, DIMGBLK_A_DISKSEQ };

static const __u8 set_ids[] = {
	DIMGBLK_A_INDEX, DIMGBLK_A_DISKSEQ, DIMGBLK_A_RESIZE, DIMGBLK_A_DIRECT,
};

static const struct command {
	const char *name;
	__u8 cmd;
	const __u8 *ids;
	size_t nr;
} commands[] = {
	{ "attach", DIMGBLK_CMD_DEVICE_ATTACH, attach_ids, ARRAY_SIZE(attach_ids) },
	{ "detach", DIMGBLK_CMD_DEVICE_DETACH, detach_ids, ARRAY_SIZE(detach_ids) },
	{ "get", DIMGBLK_CMD_DEVICE_GET, get_ids, ARRAY_SIZE(get_ids) },
	{ "set", DIMGBLK_CMD_DEVICE_SET, set_ids, ARRAY_SIZE(set_ids) },
};

/* Length of the right type; -1 for a string. */
static int right_length(int id)
{
	switch (id) {
	case DIMGBLK_A_DISKSEQ:
	case DIMGBLK_A_OFFSET:
	case DIMGBLK_A_SIZE_LIMIT:
		return 8;
	case DIMGBLK_A_NAME:
		return -1;
	case DIMGBLK_A_RESIZE:
		return 0;
	default:
		return 4;
	}
}

static void put_good(int id)
{
	__u64 zero = 0;

	switch (id) {
	case DIMGBLK_A_INDEX:
		genl_put_u32(&msg, id, ABSENT_INDEX);
		break;
	case DIMGBLK_A_BACKING_FD:
		genl_put_u32(&msg, id, image_fd);
		break;
	case DIMGBLK_A_NAME:
		genl_put(&msg, id, "malformed", sizeof("malformed"));
		break;
	default:
		genl_put(&msg, id, &zero, right_length(id));
		break;
	}
}

/*
 * The errno of the answer, 0 for success, 1 for no answer. The kernel handles a
 * message inside send(), so what is not there afterwards will not come.
 */
static int answer(void)
{
	struct genl_answer a;
	struct nlmsghdr *nlh;
	int n, left, result = 1;

	while ((n = recv(sock, in.buf, sizeof(in.buf), MSG_DONTWAIT)) > 0) {
		left = n;
		for (nlh = &in.nlh; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type != NLMSG_ERROR)
				continue;
			genl_parse_answer(nlh, &a);
			result = a.error;
		}
	}
	return result;
}

static int exchange(void)
{
	int ret = genl_send(sock, &msg);

	sent++;
	return ret ? ret : answer();
}

static void detach(__u32 index)
{
	genl_begin(&msg, family.id, NLM_F_ACK, DIMGBLK_CMD_DEVICE_DETACH);
	genl_put_u32(&msg, DIMGBLK_A_INDEX, index);
	genl_put_u32(&msg, DIMGBLK_A_DETACH_MODE, DIMGBLK_DETACH_FORCED);
	exchange();
}

static void expect_refusal(const char *what, int cmd, int id, size_t len)
{
	int ret = exchange();

	if (ret == -EINVAL || ret == -ERANGE)
		return;
	printf("%s, command %d, attribute %d, length %zu: %s\n", what, cmd, id, len,
	       ret == 1 ? "no answer" : ret ? strerrorname_np(-ret) : "accepted");
	failures++;
	if (!ret && cmd == DIMGBLK_CMD_DEVICE_ATTACH)
		detach(ABSENT_INDEX);
}

static void sweep_missing(void)
{
	const struct command *c;
	unsigned int subset;
	size_t i;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++) {
		int required = c->cmd == DIMGBLK_CMD_DEVICE_ATTACH ?
			       DIMGBLK_A_BACKING_FD : DIMGBLK_A_INDEX;

		for (subset = 0; subset < 1u << c->nr; subset++) {
			genl_begin(&msg, family.id, NLM_F_ACK, c->cmd);
			for (i = 0; i < c->nr; i++)
				if (subset & 1u << i && c->ids[i] != required)
					put_good(c->ids[i]);
			expect_refusal("without its required attribute", c->cmd,
				       required, subset);
		}
	}
}

static int takes(const struct command *c, int id)
{
	return !!memchr(c->ids, id, c->nr);
}

static void begin_good_but(const struct command *c, int id)
{
	size_t i;

	genl_begin(&msg, family.id, NLM_F_ACK, c->cmd);
	for (i = 0; i < c->nr; i++)
		if (c->ids[i] != id)
			put_good(c->ids[i]);
}

static void sweep_types(void)
{
	static const int lengths[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 65000 };
	static const int ids[] = { DIMGBLK_A_MAX + 1, 100, 255, 256, 0x3fff };
	static char bytes[65536];
	const struct command *c;
	int id, right;
	size_t i;

	memset(bytes, 'x', sizeof(bytes));	/* no terminating zero anywhere */
	for (c = commands; c < commands + ARRAY_SIZE(commands); c++) {
		for (id = 1; id <= DIMGBLK_A_MAX; id++) {
			right = takes(c, id) ? right_length(id) : -2;
			for (i = 0; i < ARRAY_SIZE(lengths); i++) {
				if (lengths[i] == right)
					continue;
				begin_good_but(c, id);
				genl_put(&msg, id, bytes, lengths[i]);
				expect_refusal("wrong length", c->cmd, id, lengths[i]);
			}
		}
		for (i = 0; i < ARRAY_SIZE(ids); i++) {
			begin_good_but(c, ids[i]);
			genl_put(&msg, ids[i], bytes, 4);
			expect_refusal("unknown attribute", c->cmd, ids[i], 4);
		}
		/* 64 attributes, each inside the one before. */
		begin_good_but(c, -1);
		for (i = 64; i; i--)
			genl_put(&msg, (DIMGBLK_A_MAX + 1) | NLA_F_NESTED, bytes, 0);
		expect_refusal("nested", c->cmd, DIMGBLK_A_MAX + 1, 64);
	}
}

static void sweep_raw(void)
{
	static const int lies[] = { 0, 1, 15, 16, 17, 19, 20, 1 << 20, 0x7fffffff, -1 };
	const struct command *c;
	struct nlattr *a;
	size_t i;
	int ret;

	for (c = commands; c < commands + ARRAY_SIZE(commands); c++) {
		for (i = 1; i < 16; i++) {
			begin_good_but(c, -1);
			memset(msg.buf + msg.len, 0xff, i);
			msg.len += i;
			expect_refusal("trailing bytes", c->cmd, 0, i);
		}
		/* An attribute that claims more, or less, than there is. */
		for (i = 0; i < 3; i++) {
			begin_good_but(c, -1);
			a = (struct nlattr *)(msg.buf + NLMSG_HDRLEN + GENL_HDRLEN);
			a->nla_len = i ? 60000 + i : 2;
			expect_refusal("lying attribute", c->cmd, a->nla_type, a->nla_len);
		}
		/* A message that claims more than there is gets no answer. */
		for (i = 0; i < ARRAY_SIZE(lies); i++) {
			begin_good_but(c, -1);
			msg.nlh.nlmsg_len = lies[i];
			sent++;
			if (send(sock, msg.buf, msg.len, 0) < 0)
				continue;
			ret = answer();
			if (!ret && c->cmd == DIMGBLK_CMD_DEVICE_ATTACH) {
				printf("nlmsg_len %d accepted\n", lies[i]);
				failures++;
				detach(ABSENT_INDEX);
			}
		}
	}
}

static void sweep_garbage(int count)
{
	unsigned char bytes[300];
	int i, j, id, len, ret, cmd;

	for (i = 0; i < count; i++) {
		cmd = random() % 8;
		genl_begin(&msg, family.id, NLM_F_ACK |
			   (random() % 8 ? 0 : NLM_F_DUMP), cmd);
		for (j = random() % 12; j > 0; j--) {
			id = random() % (DIMGBLK_A_MAX + 3);
			len = random() % 3 ? right_length(id) : random() % 300;
			if (len < 0)
				len = random() % 80;
			for (ret = 0; ret < len; ret++)
				bytes[ret] = random() % 4 ? 0 : random();
			if (id == DIMGBLK_A_BACKING_FD && len >= 4)
				bytes[1] = 0xff;	/* none of our descriptors */
			if (id == DIMGBLK_A_INDEX && len >= 4)
				bytes[2] = 0x0f;	/* no device of another test */
			genl_put(&msg, id | (random() % 9 ? 0 : NLA_F_NESTED), bytes,
				 len);
		}
		ret = exchange();
		if (!ret && cmd == DIMGBLK_CMD_DEVICE_ATTACH) {
			printf("message %d attached something\n", i);
			failures++;
		}
	}
}

static int images[2], stop;

static void *swap(void *unused)
{
	int i = 0;

	(void)unused;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		dup2(images[i++ & 1], image_fd);
	return NULL;
}

/* The inode in the reply to an attach, or 0 with the errno in *@error. */
static __u64 attached_inode(int *error)
{
	struct nlmsghdr *nlh;
	__u64 inode = 0;
	const char *p;
	int left;

	*error = 1;
	while ((left = recv(sock, in.buf, sizeof(in.buf), MSG_DONTWAIT)) > 0) {
		for (nlh = &in.nlh; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_ERROR) {
				*error = ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
				continue;
			}
			p = (char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN;
			while (p < (char *)nlh + nlh->nlmsg_len) {
				const struct nlattr *a = (const struct nlattr *)p;

				if (a->nla_type == DIMGBLK_A_BACKING_INODE)
					memcpy(&inode, p + NLA_HDRLEN, sizeof(inode));
				p += NLA_ALIGN(a->nla_len);
			}
		}
	}
	return inode;
}

static void race_swap(int count, const char *a, const char *b)
{
	pthread_t thread;
	struct stat sa, sb;
	__u64 inode;
	int i, error;

	images[0] = open(a, O_RDWR | O_CLOEXEC);
	images[1] = open(b, O_RDWR | O_CLOEXEC);
	image_fd = 100;
	if (fstat(images[0], &sa) || fstat(images[1], &sb) ||
	    dup2(images[0], image_fd) < 0 ||
	    pthread_create(&thread, NULL, swap, NULL)) {
		perror("nl-malformed: swap");
		exit(2);
	}
	for (i = 0; i < count; i++) {
		genl_begin(&msg, family.id, NLM_F_ACK, DIMGBLK_CMD_DEVICE_ATTACH);
		/* another one each time: udev keeps the last one taken while it looks */
		genl_put_u32(&msg, DIMGBLK_A_INDEX, ABSENT_INDEX - i);
		put_good(DIMGBLK_A_BACKING_FD);
		genl_send(sock, &msg);
		sent++;
		inode = attached_inode(&error);
		if (error || (inode != sa.st_ino && inode != sb.st_ino)) {
			printf("round %d: error %d, inode %llu\n", i, error,
			       (unsigned long long)inode);
			failures++;
		}
		detach(ABSENT_INDEX - i);
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	sock = genl_open();
	if (argc < 3 || sock < 0 || genl_resolve(sock, &family)) {
		fprintf(stderr, "nl-malformed: usage, or no dimgblk family\n");
		return 2;
	}
	image_fd = atoi(argv[2]);
	if (!strcmp(argv[1], "missing")) {
		sweep_missing();
	} else if (!strcmp(argv[1], "types")) {
		sweep_types();
	} else if (!strcmp(argv[1], "raw")) {
		sweep_raw();
	} else if (!strcmp(argv[1], "garbage") && argc == 4) {
		srandom(atoi(argv[3]));
		sweep_garbage(atoi(argv[2]));
	} else if (!strcmp(argv[1], "swap") && argc == 5) {
		race_swap(atoi(argv[2]), argv[3], argv[4]);
	} else {
		fprintf(stderr, "nl-malformed: wrong arguments\n");
		return 2;
	}
	printf("%d messages, %d failures\n", sent, failures);
	return failures ? 1 : 0;
}
