// SPDX-License-Identifier: GPL-2.0
/*
 * Sends one message to the dimgblk family, well-formed or not, and prints the
 * answer: the attributes of each reply as lines name=value with an empty line
 * after each device, or the name of the errno and the kernel's sentence.
 *
 * usage: nl-send [-a] [-d] [-k] [-r] [-u] [-o UID] [-s UID] [-t HEX] COMMAND
 *                [ATTR[=[TYPE:]VALUE]]...
 *   COMMAND  attach detach get set event, a number, or join (the events group)
 *   ATTR     a name as in the YAML, or a number; TYPE overrides what the YAML
 *            says: u8 u16 u32 u64 s32 str (with its zero) raw (without) hex flag
 *   -a print "at NAME" below a refusal: the attribute that the kernel points at
 *   -d dump  -t bytes after the last attribute
 *   -k keep the socket open until the end of standard input
 *   -o open the socket as that user  -s send as that user
 *   -r as root again to read; the message names the kernel as its receiver then,
 *      so that the core does not ask who opened the socket
 *   -u unload the module the moment the kernel has agreed
 * Exit: 0 the kernel agreed, 1 it refused, 2 wrong use, 3 no such family, 4 it left a flag
 * of its own on this thread: a driver that forbids reclaim to wait has to allow it again.
 * A backing file is a descriptor of the shell: nl-send attach backing-fd=9 9<>x
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <fcntl.h>
#include <sys/syscall.h>

#include "genl.h"

enum type { U8, U16, U32, U64, S32, STR, RAW, HEX, FLAG, NEST };

static const char * const type_names[] = {
	[U8] = "u8", [U16] = "u16", [U32] = "u32", [U64] = "u64", [S32] = "s32",
	[STR] = "str", [RAW] = "raw", [HEX] = "hex", [FLAG] = "flag",
};

static const struct attr {
	const char *name;
	enum type type;
} attrs[] = {
	[DIMGBLK_A_INDEX] = { "index", U32 },
	[DIMGBLK_A_DISKSEQ] = { "diskseq", U64 },
	[DIMGBLK_A_BACKING_FD] = { "backing-fd", S32 },
	[DIMGBLK_A_OFFSET] = { "offset", U64 },
	[DIMGBLK_A_SIZE_LIMIT] = { "size-limit", U64 },
	[DIMGBLK_A_LOGICAL_BLOCK_SIZE] = { "logical-block-size", U32 },
	[DIMGBLK_A_FLAGS] = { "flags", U32 },
	[DIMGBLK_A_DIRECT] = { "direct", U32 },
	[DIMGBLK_A_NR_HW_QUEUES] = { "nr-hw-queues", U32 },
	[DIMGBLK_A_QUEUE_DEPTH] = { "queue-depth", U32 },
	[DIMGBLK_A_NAME] = { "name", STR },
	[DIMGBLK_A_CAPACITY] = { "capacity", U64 },
	[DIMGBLK_A_DIRECT_IN_USE] = { "direct-in-use", U32 },
	[DIMGBLK_A_DIRECT_REASON] = { "direct-reason", STR },
	[DIMGBLK_A_BACKING_PATH] = { "backing-path", STR },
	[DIMGBLK_A_BACKING_INODE] = { "backing-inode", U64 },
	[DIMGBLK_A_BACKING_MAJOR] = { "backing-major", U32 },
	[DIMGBLK_A_BACKING_MINOR] = { "backing-minor", U32 },
	[DIMGBLK_A_OPEN_COUNT] = { "open-count", U32 },
	[DIMGBLK_A_STATE] = { "state", U32 },
	[DIMGBLK_A_DETACH_MODE] = { "detach-mode", U32 },
	[DIMGBLK_A_RESIZE] = { "resize", FLAG },
	[DIMGBLK_A_EVENT] = { "event", U32 },
	[DIMGBLK_A_ERROR] = { "error", S32 },
	[DIMGBLK_A_ERROR_SECTOR] = { "error-sector", U64 },
	[DIMGBLK_A_MAJOR] = { "major", U32 },
	[DIMGBLK_A_MINOR] = { "minor", U32 },
	[DIMGBLK_A_PAD] = { "pad", RAW },
	[DIMGBLK_A_ERROR_COUNT] = { "error-count", U64 },
	[DIMGBLK_A_FIRST_ERROR] = { "first-error", NEST },
	[DIMGBLK_A_LAST_ERROR] = { "last-error", NEST },
};

#define NR_ATTRS (ARRAY_SIZE(attrs))

static struct genl_msg msg;
static int blame;

static void usage(const char *what)
{
	fprintf(stderr, "nl-send: %s: the head of the source says how\n", what);
	exit(2);
}

static size_t unhex(const char *s, unsigned char *out, size_t max)
{
	size_t n = 0;
	unsigned int byte;

	for (; s[0] && s[1] && n < max; s += 2) {
		if (sscanf(s, "%2x", &byte) != 1)
			usage(s);
		out[n++] = byte;
	}
	return n;
}

static void put_value(__u16 id, enum type type, const char *text)
{
	unsigned long long v = 0;
	unsigned char bytes[4096];

	if (type <= S32)
		v = text[0] == '-' ? (unsigned long long)strtoll(text, NULL, 0) :
				     strtoull(text, NULL, 0);
	/* Little-endian or not: the first sizeof bytes of the right type. */
	switch (type) {
	case U8: {
		__u8 x = v;

		genl_put(&msg, id, &x, sizeof(x));
		break;
	}
	case U16: {
		__u16 x = v;

		genl_put(&msg, id, &x, sizeof(x));
		break;
	}
	case U32:
	case S32:
		genl_put_u32(&msg, id, v);
		break;
	case U64: {
		__u64 x = v;

		genl_put(&msg, id, &x, sizeof(x));
		break;
	}
	case STR:
		genl_put(&msg, id, text, strlen(text) + 1);
		break;
	case RAW:
		genl_put(&msg, id, text, strlen(text));
		break;
	case HEX:
		genl_put(&msg, id, bytes, unhex(text, bytes, sizeof(bytes)));
		break;
	case NEST:
	case FLAG:
		genl_put(&msg, id, NULL, 0);
		break;
	}
}

static void put_attr(char *arg)
{
	char *value = strchr(arg, '='), *colon;
	enum type type = RAW;
	__u16 id = 0;
	size_t i;

	if (value)
		*value++ = '\0';
	if (isdigit((unsigned char)arg[0]))
		id = strtoul(arg, NULL, 0);
	for (i = 1; i < NR_ATTRS; i++) {
		if (id == i || (attrs[i].name && !strcmp(attrs[i].name, arg))) {
			id = i;
			type = attrs[i].type;
		}
	}
	if (!id && arg[0] != '0')
		usage(arg);
	colon = value ? strchr(value, ':') : NULL;
	for (i = 0; colon && i <= FLAG; i++) {
		if (strlen(type_names[i]) == (size_t)(colon - value) &&
		    !strncmp(value, type_names[i], colon - value)) {
			type = i;
			value = colon + 1;
			break;
		}
	}
	put_value(id, value ? type : FLAG, value ? value : "");
}

/* The numbers of a failed request in the order of the YAML. */
static void print_nest(const char *name, const char *p, size_t len)
{
	const char *end = p + len;
	const struct nlattr *a;
	__s32 v32;
	__u64 v64;

	printf("%s=", name);
	for (; p + NLA_HDRLEN <= end; p += NLA_ALIGN(a->nla_len)) {
		a = (const struct nlattr *)p;
		memcpy(&v32, p + NLA_HDRLEN, sizeof(v32));
		memcpy(&v64, p + NLA_HDRLEN, sizeof(v64));
		if (a->nla_len == NLA_HDRLEN + sizeof(v64))
			printf(" %llu", (unsigned long long)v64);
		else if (a->nla_len == NLA_HDRLEN + sizeof(v32))
			printf(" %d", v32);
	}
	putchar('\n');
}

static void print_attr(const struct nlattr *a)
{
	const char *p = (const char *)a + NLA_HDRLEN;
	size_t len = a->nla_len - NLA_HDRLEN;
	__u16 id = a->nla_type & NLA_TYPE_MASK;
	__u64 v64 = 0;
	__u32 v32 = 0;

	if (id == DIMGBLK_A_PAD)
		return;
	if (id >= NR_ATTRS || !attrs[id].name) {
		printf("unknown-%u\n", id);
		return;
	}
	switch (attrs[id].type) {
	case U32:
		memcpy(&v32, p, len < 4 ? len : 4);
		printf("%s=%u\n", attrs[id].name, v32);
		break;
	case S32:
		memcpy(&v32, p, len < 4 ? len : 4);
		printf("%s=%d\n", attrs[id].name, (__s32)v32);
		break;
	case U64:
		memcpy(&v64, p, len < 8 ? len : 8);
		printf("%s=%llu\n", attrs[id].name, (unsigned long long)v64);
		break;
	case NEST:
		print_nest(attrs[id].name, p, len);
		break;
	default:
		printf("%s=%.*s\n", attrs[id].name, (int)len, p);
		break;
	}
}

static void print_reply(const struct nlmsghdr *nlh)
{
	const char *p = (const char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN;
	const char *end = (const char *)nlh + nlh->nlmsg_len;

	for (; p + NLA_HDRLEN <= end; p += NLA_ALIGN(((struct nlattr *)p)->nla_len))
		print_attr((const struct nlattr *)p);
	putchar('\n');
}

static int refused(int error, const char *text)
{
	printf("%s%s%s\n", strerrorname_np(-error), text ? ": " : "",
	       text ? text : "");
	return 1;
}

/* What the answer points at; @offset counts from the head of our message. */
static void print_blamed(int offset)
{
	const struct nlattr *a = (const struct nlattr *)(msg.buf + offset);
	__u16 id;

	if (offset < NLMSG_HDRLEN || offset + NLA_HDRLEN > (int)msg.len) {
		printf("at nothing\n");
		return;
	}
	id = a->nla_type & NLA_TYPE_MASK;
	printf("at %s\n", id < NR_ATTRS && attrs[id].name ? attrs[id].name : "unknown");
}

/* Prints all of the answer; returns the exit status. */
static int receive(int fd)
{
	static struct genl_msg in;
	struct genl_answer answer;
	struct nlmsghdr *nlh;
	int left;

	for (;;) {
		left = recv(fd, in.buf, sizeof(in.buf), 0);
		if (left < 0)
			return refused(-errno, "no answer");
		for (nlh = &in.nlh; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
				printf("dump-interrupted\n");
			if (nlh->nlmsg_type == NLMSG_DONE)
				return 0;
			if (nlh->nlmsg_type != NLMSG_ERROR) {
				print_reply(nlh);
				continue;
			}
			genl_parse_answer(nlh, &answer);
			if (!answer.error)
				return 0;
			refused(answer.error, answer.text);
			if (blame)
				print_blamed(answer.attr_offset);
			return 1;
		}
	}
}

static int command(const char *name)
{
	static const char * const names[] = {
		[DIMGBLK_CMD_DEVICE_ATTACH] = "attach",
		[DIMGBLK_CMD_DEVICE_DETACH] = "detach",
		[DIMGBLK_CMD_DEVICE_GET] = "get",
		[DIMGBLK_CMD_DEVICE_SET] = "set",
		[DIMGBLK_CMD_DEVICE_EVENT] = "event",
	};
	size_t i;

	for (i = 1; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return i;
	if (!isdigit((unsigned char)name[0]))
		usage(name);
	return atoi(name);
}

static void become(int uid)
{
	if (uid >= 0 && seteuid(uid)) {
		perror("nl-send: seteuid");
		exit(2);
	}
}

/* Flags of the kernel for this thread that only kernel code may have, in passing. */
static unsigned long flags_left(void)
{
	/* PF_MEMALLOC, _NOFS, _NOIO, PF_LOCAL_THROTTLE; 6.1 to 7.3 */
	const unsigned long passing = 0x800 | 0x40000 | 0x80000 | 0x100000;
	unsigned long flags = 0;
	FILE *f = fopen("/proc/thread-self/stat", "re");

	/* The name of a program of ours has no blanks. */
	if (!f || fscanf(f, "%*d %*s %*c %*d %*d %*d %*d %*d %lu", &flags) != 1) {
		perror("nl-send: /proc/thread-self/stat");
		exit(2);
	}
	fclose(f);
	return flags & passing;
}

int main(int argc, char **argv)
{
	int fd, ret, opt, open_as = -1, send_as = -1;
	int keep = 0, read_as_root = 0, unload = 0;
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	__u16 flags = NLM_F_ACK;
	const char *tail = NULL;
	struct genl_family f;

	while ((opt = getopt(argc, argv, "adkruo:s:t:")) != -1) {
		switch (opt) {
		case 'a':
			blame = 1;
			break;
		case 'd':
			flags = NLM_F_DUMP;
			break;
		case 'k':
			keep = 1;
			break;
		case 'r':
			read_as_root = 1;
			break;
		case 'u':
			unload = 1;
			break;
		case 'o':
			open_as = atoi(optarg);
			break;
		case 's':
			send_as = atoi(optarg);
			break;
		case 't':
			tail = optarg;
			break;
		default:
			usage("option");
		}
	}
	if (optind == argc)
		usage("no command");

	become(open_as);
	fd = genl_open();
	if (fd < 0 || genl_resolve(fd, &f)) {
		printf("NOFAMILY\n");
		return 3;
	}
	/* What was received so far decides how much comes at once. */
	if (read_as_root) {
		close(fd);
		fd = genl_open();
	}
	if (open_as >= 0)
		become(0);
	become(send_as);

	if (!strcmp(argv[optind], "join")) {
		ret = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
				 &f.events_group, sizeof(f.events_group));
		return ret ? refused(-errno, NULL) : 0;
	}
	genl_begin(&msg, f.id, flags, command(argv[optind]));
	for (optind++; optind < argc; optind++)
		put_attr(argv[optind]);
	if (tail)
		msg.len += unhex(tail, (unsigned char *)msg.buf + msg.len, 4096);
	if (read_as_root) {
		msg.nlh.nlmsg_len = msg.len;
		ret = sendto(fd, msg.buf, msg.len, 0, (struct sockaddr *)&kernel,
			     sizeof(kernel)) < 0 ? -errno : 0;
		become(0);
	} else {
		ret = genl_send(fd, &msg);
	}
	ret = ret ? refused(ret, "send") : receive(fd);
	if (!ret && unload && syscall(SYS_delete_module, "dimgblk", O_NONBLOCK))
		ret = refused(-errno, "unload");
	if (flags_left()) {
		printf("flags left on the thread: %#lx\n", flags_left());
		ret = 4;
	}
	fflush(stdout);
	while (keep && getchar() != EOF)
		;
	return ret;
}
