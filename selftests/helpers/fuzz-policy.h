/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the running kernel says its operations take: CTRL_CMD_GETPOLICY of nlctrl,
 * read into tables. The fuzzer asks these and no header, so an attribute that is
 * new in the driver is fuzzed by the next run, without a change here.
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_POLICY_H
#define DIMGBLK_SELFTEST_FUZZ_POLICY_H

#include "genl.h"

#define POLICY_MAX_OPS		32
#define POLICY_MAX_TABLES	64
#define POLICY_MAX_ATTRS	128

struct policy_attr {
	__u32 type;		/* NL_ATTR_TYPE_*, 0: not taken */
	__u64 min, max, mask;
	__u32 min_len, max_len;
	__u32 nested;		/* table of what is inside */
};

struct policy_table {
	int nr;
	__u16 ids[POLICY_MAX_ATTRS];
	struct policy_attr attrs[POLICY_MAX_ATTRS];
};

struct policy_op {
	__u8 cmd;
	__u32 table;
	int has_do, has_dump;
};

struct policy {
	int nr_ops, nr_attrs;
	struct policy_op ops[POLICY_MAX_OPS];
	struct policy_table tables[POLICY_MAX_TABLES];
};

/* For loops over attributes: for (a = attr_first(p); attr_ok(a, end); a = attr_next(a)) */
static inline const struct nlattr *attr_first(const char *p)
{
	return (const struct nlattr *)p;
}

static inline const struct nlattr *attr_next(const struct nlattr *a)
{
	return attr_first((const char *)a + NLA_ALIGN(a->nla_len));
}

static inline int attr_ok(const struct nlattr *a, const char *end)
{
	return (const char *)a + NLA_HDRLEN <= end && a->nla_len >= NLA_HDRLEN;
}

/* The attributes of a generic netlink message. */
static inline const struct nlattr *msg_attrs(const struct nlmsghdr *nlh)
{
	return attr_first((const char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN);
}

static inline const char *msg_end(const struct nlmsghdr *nlh)
{
	return (const char *)nlh + nlh->nlmsg_len;
}

static inline __u16 attr_id(const struct nlattr *a)
{
	return a->nla_type & NLA_TYPE_MASK;
}

static inline const char *attr_data(const struct nlattr *a)
{
	return (const char *)a + NLA_HDRLEN;
}

static inline const char *attr_end(const struct nlattr *a)
{
	return (const char *)a + a->nla_len;
}

/* The bytes of @a as a number; more than 8 are ignored. */
static inline __u64 attr_number(const struct nlattr *a)
{
	size_t len = a->nla_len - NLA_HDRLEN;
	__u64 v = 0;

	memcpy(&v, attr_data(a), len < sizeof(v) ? len : sizeof(v));
	return v;
}

static inline void policy_read_op(struct policy *p, const struct nlattr *op)
{
	struct policy_op *o = &p->ops[p->nr_ops];
	const struct nlattr *a;

	if (p->nr_ops == POLICY_MAX_OPS)
		return;
	memset(o, 0, sizeof(*o));
	o->cmd = attr_id(op);
	for (a = attr_first(attr_data(op)); attr_ok(a, attr_end(op)); a = attr_next(a)) {
		o->table = attr_number(a) % POLICY_MAX_TABLES;
		o->has_do |= attr_id(a) == CTRL_ATTR_POLICY_DO;
		o->has_dump |= attr_id(a) == CTRL_ATTR_POLICY_DUMP;
	}
	p->nr_ops++;
}

static inline void policy_read_attr(struct policy_table *t,
				    const struct nlattr *attr)
{
	struct policy_attr *pa = &t->attrs[attr_id(attr)];
	const struct nlattr *a;

	memset(pa, 0, sizeof(*pa));
	pa->max = ~0ULL;
	for (a = attr_first(attr_data(attr)); attr_ok(a, attr_end(attr)); a = attr_next(a)) {
		switch (attr_id(a)) {
		case NL_POLICY_TYPE_ATTR_TYPE:
			pa->type = attr_number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_S:
		case NL_POLICY_TYPE_ATTR_MIN_VALUE_U:
			pa->min = attr_number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_S:
		case NL_POLICY_TYPE_ATTR_MAX_VALUE_U:
			pa->max = attr_number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MASK:
			pa->mask = attr_number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MIN_LENGTH:
			pa->min_len = attr_number(a);
			break;
		case NL_POLICY_TYPE_ATTR_MAX_LENGTH:
			pa->max_len = attr_number(a);
			break;
		case NL_POLICY_TYPE_ATTR_POLICY_IDX:
			pa->nested = attr_number(a) % POLICY_MAX_TABLES;
			break;
		}
	}
	t->ids[t->nr++] = attr_id(attr);
}

static inline void policy_read_tables(struct policy *p, const struct nlattr *all)
{
	const struct nlattr *t, *a;

	for (t = attr_first(attr_data(all)); attr_ok(t, attr_end(all)); t = attr_next(t)) {
		if (attr_id(t) >= POLICY_MAX_TABLES)
			continue;
		for (a = attr_first(attr_data(t)); attr_ok(a, attr_end(t)); a = attr_next(a)) {
			if (attr_id(a) >= POLICY_MAX_ATTRS)
				continue;
			policy_read_attr(&p->tables[attr_id(t)], a);
			p->nr_attrs++;
		}
	}
}

static inline void policy_read_message(struct policy *p,
				       const struct nlmsghdr *nlh)
{
	const struct nlattr *a, *op;

	for (a = msg_attrs(nlh); attr_ok(a, msg_end(nlh)); a = attr_next(a)) {
		if (attr_id(a) == CTRL_ATTR_POLICY)
			policy_read_tables(p, a);
		if (attr_id(a) != CTRL_ATTR_OP_POLICY)
			continue;
		for (op = attr_first(attr_data(a)); attr_ok(op, attr_end(a)); op = attr_next(op))
			policy_read_op(p, op);
	}
}

/* Asks the kernel; 0, or a negative errno. */
static inline int policy_read(int sock, const struct genl_family *f,
			      struct policy *p)
{
	static struct genl_msg m;
	const struct nlmsghdr *nlh;
	int left, ret;

	memset(p, 0, sizeof(*p));
	genl_begin(&m, GENL_ID_CTRL, NLM_F_DUMP, CTRL_CMD_GETPOLICY);
	genl_put(&m, CTRL_ATTR_FAMILY_ID, &f->id, sizeof(f->id));
	ret = genl_send(sock, &m);
	while (!ret) {
		left = recv(sock, m.buf, sizeof(m.buf), 0);
		if (left < 0)
			return -errno;
		for (nlh = &m.nlh; NLMSG_OK(nlh, (unsigned int)left);
		     nlh = NLMSG_NEXT(nlh, left)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return p->nr_ops && p->nr_attrs ? 0 : -ENOENT;
			if (nlh->nlmsg_type == NLMSG_ERROR)
				return ((struct nlmsgerr *)NLMSG_DATA(nlh))->error;
			policy_read_message(p, nlh);
		}
	}
	return ret;
}

#endif /* DIMGBLK_SELFTEST_FUZZ_POLICY_H */
