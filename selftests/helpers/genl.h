/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The little generic netlink that the helpers need, without a library: a test
 * of malformed messages must be free to build what a library refuses to. Owns
 * the socket, the look-up of the family, and the building of one message; what
 * goes into the message and what the answer means is the caller's matter.
 */
#ifndef DIMGBLK_SELFTEST_GENL_H
#define DIMGBLK_SELFTEST_GENL_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/types.h>
#include <linux/dimgblk.h>

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

/* Larger than any attribute can be, so that an oversized one fits. */
#define GENL_BUF_SIZE	(256 * 1024)

struct genl_msg {
	size_t len;
	union {
		struct nlmsghdr nlh;
		char buf[GENL_BUF_SIZE];
	};
};

struct genl_family {
	__u16 id;
	__u32 events_group;
};

/* The answer of the kernel to one message. */
struct genl_answer {
	int error;		/* 0 or a negative errno */
	const char *text;	/* extack sentence, or NULL */
	int attr_offset;	/* offending attribute, -1 if not told */
};

static inline int genl_open(void)
{
	struct timeval patience = { .tv_sec = 20 };
	int one = 1;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static inline void genl_begin(struct genl_msg *m, __u16 type, __u16 flags,
			      __u8 cmd)
{
	struct genlmsghdr *g;

	memset(m->buf, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	m->nlh.nlmsg_type = type;
	m->nlh.nlmsg_flags = NLM_F_REQUEST | flags;
	m->nlh.nlmsg_seq = 1;
	g = NLMSG_DATA(&m->nlh);
	g->cmd = cmd;
	g->version = 1;
	m->len = NLMSG_HDRLEN + GENL_HDRLEN;
}

static inline void genl_put(struct genl_msg *m, __u16 type, const void *data,
			    size_t len)
{
	struct nlattr *a = (struct nlattr *)(m->buf + m->len);

	a->nla_type = type;
	a->nla_len = (__u16)(NLA_HDRLEN + len);
	if (len)
		memcpy((char *)a + NLA_HDRLEN, data, len);
	memset((char *)a + NLA_HDRLEN + len, 0, NLA_ALIGN(len) - len);
	m->len += NLA_HDRLEN + NLA_ALIGN(len);
}

static inline void genl_put_u32(struct genl_msg *m, __u16 type, __u32 v)
{
	genl_put(m, type, &v, sizeof(v));
}

static inline int genl_send(int fd, struct genl_msg *m)
{
	m->nlh.nlmsg_len = m->len;
	return send(fd, m->buf, m->len, 0) < 0 ? -errno : 0;
}

/* Reads the error or acknowledgment in @nlh. */
static inline void genl_parse_answer(const struct nlmsghdr *nlh,
				     struct genl_answer *a)
{
	const struct nlmsgerr *e = NLMSG_DATA(nlh);
	const char *end = (const char *)nlh + nlh->nlmsg_len;
	const char *p = (const char *)(e + 1);

	a->error = e->error;
	a->text = NULL;
	a->attr_offset = -1;
	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		p += e->msg.nlmsg_len - sizeof(struct nlmsghdr);
	while (p + NLA_HDRLEN <= end) {
		const struct nlattr *t = (const struct nlattr *)p;

		if (t->nla_len < NLA_HDRLEN)
			break;
		if (t->nla_type == NLMSGERR_ATTR_MSG)
			a->text = p + NLA_HDRLEN;
		if (t->nla_type == NLMSGERR_ATTR_OFFS)
			memcpy(&a->attr_offset, p + NLA_HDRLEN, 4);
		p += NLA_ALIGN(t->nla_len);
	}
}

/* Finds the multicast group "events" in the attribute of all groups. */
static inline __u32 genl_find_group(const char *p, const char *end)
{
	for (; p + NLA_HDRLEN < end; p += NLA_ALIGN(((struct nlattr *)p)->nla_len)) {
		const char *q = p + NLA_HDRLEN;
		const char *qend = p + ((struct nlattr *)p)->nla_len;
		const char *name = "";
		__u32 id = 0;

		for (; q + NLA_HDRLEN < qend;
		     q += NLA_ALIGN(((struct nlattr *)q)->nla_len)) {
			const struct nlattr *a = (const struct nlattr *)q;

			if (a->nla_type == CTRL_ATTR_MCAST_GRP_NAME)
				name = q + NLA_HDRLEN;
			if (a->nla_type == CTRL_ATTR_MCAST_GRP_ID)
				memcpy(&id, q + NLA_HDRLEN, sizeof(id));
		}
		if (!strcmp(name, DIMGBLK_MCGRP_EVENTS))
			return id;
	}
	return 0;
}

/* Looks the family up; returns 0 or a negative errno. */
static inline int genl_resolve(int fd, struct genl_family *f)
{
	static struct genl_msg m;
	const char *p, *end;
	ssize_t n;
	int ret;

	genl_begin(&m, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	genl_put(&m, CTRL_ATTR_FAMILY_NAME, DIMGBLK_FAMILY_NAME,
		 sizeof(DIMGBLK_FAMILY_NAME));
	ret = genl_send(fd, &m);
	if (ret)
		return ret;
	n = recv(fd, m.buf, sizeof(m.buf), 0);
	if (n < 0)
		return -errno;
	if (m.nlh.nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(&m.nlh))->error;

	f->id = 0;
	f->events_group = 0;
	p = m.buf + NLMSG_HDRLEN + GENL_HDRLEN;
	end = m.buf + n;
	for (; p + NLA_HDRLEN < end; p += NLA_ALIGN(((struct nlattr *)p)->nla_len)) {
		const struct nlattr *a = (const struct nlattr *)p;

		if ((a->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_FAMILY_ID)
			memcpy(&f->id, p + NLA_HDRLEN, sizeof(f->id));
		if ((a->nla_type & NLA_TYPE_MASK) == CTRL_ATTR_MCAST_GROUPS)
			f->events_group = genl_find_group(p + NLA_HDRLEN,
							  p + a->nla_len);
	}
	return f->id ? 0 : -ENOENT;
}

#endif /* DIMGBLK_SELFTEST_GENL_H */
