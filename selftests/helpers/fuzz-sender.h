/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The senders of the fuzzer, each a process with a power of its own: what they send
 * and how, what they make of the answers, and what they must never be granted.
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_SENDER_H
#define DIMGBLK_SELFTEST_FUZZ_SENDER_H

#include <sched.h>
#include <sys/prctl.h>
#include <sys/uio.h>

#include <linux/capability.h>

#include "fuzz-check.h"

#define USER		65534

static const struct sender {
	const char *name;
	int percent;
	int is_root;		/* changes may succeed */
} senders[NR_SENDERS] = {
	{ "root", 40, 1 },
	{ "second-root", 25, 1 },
	{ "deputy", 10, 0 },
	{ "user", 10, 0 },
	{ "userns-root", 8, 0 },
	{ "net-admin", 7, 0 },
};

static struct shared *shared;
static struct policy policy;
static struct zoo zoo;
static struct fuzz fuzz;
static struct genl_msg in;

/* One sender; the rest of the file up to main() runs in its process. */
static const struct sender *me;
static struct tally *tally;
static int sock = -1;
static __u32 seq;
static struct sent {
	__u8 cmd;
	int is_plain;
} sent[256];

static void become(uid_t uid)
{
	if (seteuid(uid)) {
		perror("nl-fuzz: seteuid");
		exit(2);
	}
}

static void reopen(void)
{
	int deputy = !strcmp(me->name, "deputy");

	if (sock >= 0)
		close(sock);
	if (deputy)
		become(USER);
	sock = genl_open();
	if (deputy)
		become(0);
	if (sock < 0) {
		perror("nl-fuzz: socket");
		exit(2);
	}
}

static void complain(const char *what, int cmd, int value)
{
	tally->failures++;
	snprintf(tally->text, sizeof(tally->text), "%s: %s, command %d, %d",
		 me->name, what, cmd, value);
}

static void take_reply(const struct nlmsghdr *nlh)
{
	const struct nlattr *a;

	for (a = msg_attrs(nlh); attr_ok(a, msg_end(nlh)); a = attr_next(a)) {
		fuzz_learn(&fuzz, a);
		if (!me->is_root && attr_id(a) >= DIMGBLK_A_BACKING_PATH &&
		    attr_id(a) <= DIMGBLK_A_BACKING_MINOR)
			complain("is told of the backing file", DIMGBLK_CMD_DEVICE_GET,
				 attr_id(a));
	}
}

static void take_verdict(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *e = NLMSG_DATA(nlh);
	const struct sent *s = &sent[e->msg.nlmsg_seq % ARRAY_SIZE(sent)];
	/* What is no request is acknowledged and ignored. */
	int ours = e->msg.nlmsg_type == fuzz.family.id && s->cmd < FUZZ_CMDS &&
		   e->msg.nlmsg_flags & NLM_F_REQUEST;
	int cmd = ours ? s->cmd : 0, i;

	if (e->error > 0 || -e->error >= FUZZ_ERRNOS) {
		complain("no errno", cmd, e->error);
		return;
	}
	tally->errnos[cmd][-e->error]++;
	if (e->error || !ours)
		return;
	if (!me->is_root && cmd != DIMGBLK_CMD_DEVICE_GET)
		complain("was allowed to change something", cmd, e->msg.nlmsg_seq);
	for (i = 0; s->is_plain && i < fuzz.nr_parts; i++)
		if (fuzz.parts[i].type < POLICY_MAX_ATTRS)
			tally->accepted[cmd][fuzz.parts[i].type]++;
}

/* Whatever has come; the kernel does what it is asked within send(). */
static void drain(void)
{
	const struct nlmsghdr *nlh;
	int left, datagrams = 0;

	while (datagrams++ < 10000) {
		left = recv(sock, in.buf, sizeof(in.buf), MSG_DONTWAIT);
		if (left < 0)
			break;
		for (nlh = &in.nlh; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_ERROR)
				take_verdict(nlh);
			else if (nlh->nlmsg_type == NLMSG_DONE)
				tally->dumps++;
			else if (nlh->nlmsg_type == fuzz.family.id)
				take_reply(nlh);
		}
	}
}

/* Root may do anything to the witness but detach it. */
static void spare_witness(int is_plain)
{
	__u32 witness = shared->witness;
	char *p = fuzz.msg.buf, *end = fuzz.msg.buf + fuzz.msg.len;

	if (!me->is_root || (is_plain && fuzz.cmd != DIMGBLK_CMD_DEVICE_DETACH))
		return;
	while ((p = memmem(p, end - p, &witness, sizeof(witness))))
		p[0] ^= 1;
}

/* In one piece, in two, to nobody, out of band, or from no memory. */
static void transmit(void)
{
	size_t half = fuzz_draw(&fuzz, fuzz.msg.len + 1);
	struct sockaddr_nl to = { .nl_family = AF_NETLINK };
	struct iovec v[2] = {
		{ fuzz.msg.buf, half }, { fuzz.msg.buf + half, fuzz.msg.len - half },
	};
	struct msghdr h = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = v, .msg_iovlen = 2,
	};
	int flags = 0;

	switch (fuzz_draw(&fuzz, 200)) {
	case 0:
		to.nl_pid = fuzz_draw(&fuzz, 100000);
		break;
	case 1:
		to.nl_groups = fuzz_draw(&fuzz, 1 << 20);
		break;
	case 2:
		flags = MSG_OOB;
		break;
	case 3:
		v[1].iov_base = NULL;
		break;
	case 4:
		h.msg_namelen = fuzz_draw(&fuzz, sizeof(to));
		break;
	}
	/*
	 * Who names the kernel as the receiver knows that it is netlink, and no deputy
	 * any more: netlink_capable() asks the sender alone then.
	 */
	if (!strcmp(me->name, "deputy") || fuzz_one_in(&fuzz, 2)) {
		h.msg_name = NULL;
		h.msg_namelen = 0;
	}
	memcpy(tally->last, fuzz.msg.buf, sizeof(tally->last));
	tally->last_len = fuzz.msg.len;
	if (sendmsg(sock, &h, flags) < 0 && errno < FUZZ_ERRNOS)
		tally->errnos[0][errno]++;
}

static __u16 any_flags(void)
{
	if (fuzz_one_in(&fuzz, 40))
		return NLM_F_DUMP;
	return fuzz_one_in(&fuzz, 12) ? NLM_F_ECHO : NLM_F_ACK;
}

/* One datagram; returns how many messages are in it. */
static int send_messages(void)
{
	int nr = fuzz_one_in(&fuzz, 25) ? 2 + fuzz_draw(&fuzz, 11) : 1, i;
	int is_plain = nr == 1;
	size_t start = 0;

	fuzz.msg.len = 0;
	for (i = 0; i < nr; i++) {
		struct sent *s = &sent[++seq % ARRAY_SIZE(sent)];
		int kind = fuzz_draw(&fuzz, 100);

		fuzz_plan(&fuzz);
		if (kind >= 20 && kind < 65)
			fuzz_wrong_value(&fuzz);
		if (kind >= 65)
			fuzz_wrong_parts(&fuzz);
		start = fuzz_put(&fuzz, any_flags(), seq);
		if (kind >= 80 && i == nr - 1) {
			fuzz_wrong_bytes(&fuzz, start);
			is_plain = 0;
		}
		s->cmd = ((struct genlmsghdr *)(fuzz.msg.buf + start + NLMSG_HDRLEN))->cmd;
		s->is_plain = is_plain;
	}
	spare_witness(is_plain);
	transmit();
	return nr;
}

/* A dump that is begun and left, or disturbed by another. */
static void leave_dump(void)
{
	struct genl_msg *m = &fuzz.msg;

	genl_begin(m, fuzz.family.id, NLM_F_DUMP, DIMGBLK_CMD_DEVICE_GET);
	genl_send(sock, m);
	if (fuzz_one_in(&fuzz, 2) && recv(sock, in.buf, 1, MSG_DONTWAIT) < 0)
		tally->errnos[0][errno]++;
	if (fuzz_one_in(&fuzz, 2) && genl_send(sock, m))
		tally->errnos[0][errno]++;
	if (fuzz_one_in(&fuzz, 2))
		reopen();
}

static void set_option(void)
{
	static const int options[] = {
		NETLINK_EXT_ACK, NETLINK_CAP_ACK, NETLINK_GET_STRICT_CHK,
		NETLINK_NO_ENOBUFS, NETLINK_PKTINFO,
	};
	int value = fuzz_draw(&fuzz, 2), room = 4096;
	__u32 group = fuzz.family.events_group;

	if (fuzz_one_in(&fuzz, 6))
		setsockopt(sock, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (fuzz_one_in(&fuzz, 6) &&
	    !setsockopt(sock, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) &&
	    !me->is_root && strcmp(me->name, "deputy"))
		complain("was let into the group of events", 0, group);
	setsockopt(sock, SOL_NETLINK, options[fuzz_draw(&fuzz, ARRAY_SIZE(options))],
		   &value, sizeof(value));
}

static void resize_image(void)
{
	__u64 size = ZOO_IMAGE_SIZE + fuzz_draw(&fuzz, 3 * ZOO_IMAGE_SIZE);

	if (fuzz_one_in(&fuzz, 2))
		size &= ~4095ULL;
	if (ftruncate(zoo.images[fuzz_draw(&fuzz, ZOO_IMAGES)], size))
		perror("nl-fuzz: ftruncate");
}

static void send_share(int share)
{
	int done = 0;

	while (done < share) {
		switch (fuzz_draw(&fuzz, 150)) {
		case 0:
			reopen();
			break;
		case 1:
			set_option();
			break;
		case 2:
			leave_dump();
			done++;
			tally->sent++;
			break;
		case 3:
			if (me->is_root)
				resize_image();
			break;
		}
		done += send_messages();
		drain();
	}
	tally->sent += done;
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		perror(path);
	close(fd);
}

/* Gives the power away, for good. */
static void lose_power(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct caps[2] = { { 0, 0, 0 } };

	if (!strcmp(me->name, "net-admin")) {
		caps[0].effective = 1u << CAP_NET_ADMIN;
		caps[0].permitted = 1u << CAP_NET_ADMIN;
		if (syscall(SYS_capset, &head, caps))
			exit(2);
	} else if (strcmp(me->name, "deputy")) {
		if (setresgid(USER, USER, USER) || setresuid(USER, USER, USER))
			exit(2);
		prctl(PR_SET_DUMPABLE, 1);
	}
	if (strcmp(me->name, "userns-root"))
		return;
	if (unshare(CLONE_NEWUSER)) {
		complain("no user namespace to be had", 0, errno);
		exit(2);
	}
	write_file("/proc/self/setgroups", "deny");
	write_file("/proc/self/uid_map", "0 65534 1");
	write_file("/proc/self/gid_map", "0 65534 1");
}

/* Sends its share each time that it is told to. */
static void sender_main(int nr, __u64 seed, int from, int to)
{
	int share;

	me = &senders[nr];
	tally = &shared->tallies[nr];
	fuzz.rng = mix64(seed * 64 + nr + 1);
	fuzz.policy = &policy;
	fuzz.zoo = &zoo;
	if (!me->is_root)
		lose_power();
	reopen();
	while (read(from, &share, sizeof(share)) == sizeof(share)) {
		send_share(share * me->percent / 100);
		if (write(to, &share, sizeof(share)) < 0)
			break;
	}
	exit(0);
}

#endif /* DIMGBLK_SELFTEST_FUZZ_SENDER_H */
