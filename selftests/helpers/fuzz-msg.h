/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a message of the fuzzer is made: first a plan (an operation of the policy
 * with attributes that may pass all together), then perhaps one value wrong, parts
 * wrong, or bytes wrong. Several messages may share a datagram.
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_MSG_H
#define DIMGBLK_SELFTEST_FUZZ_MSG_H

#include "fuzz-value.h"

#define FUZZ_BIG	60000

/* Must be there, or nothing is done at all. */
static inline int fuzz_is_needed(const struct fuzz *f, __u16 id)
{
	return id == (f->cmd == DIMGBLK_CMD_DEVICE_ATTACH ? DIMGBLK_A_BACKING_FD :
							   DIMGBLK_A_INDEX);
}

/* An operation with attributes that may pass all together. */
static inline void fuzz_plan(struct fuzz *f)
{
	const struct policy *policy = f->policy;
	const struct policy_op *op = &policy->ops[fuzz_draw(f, policy->nr_ops)];
	const struct policy_table *t = &policy->tables[op->table];
	int i, rate = 1 + fuzz_draw(f, 6);
	struct fuzz_part *p;

	f->cmd = op->cmd;
	f->nr_parts = 0;
	f->plans++;
	for (i = 0; i < t->nr && f->nr_parts < FUZZ_MAX_PARTS / 2; i++) {
		/* A diskseq that is not the index's own is a refusal of its own. */
		if (!fuzz_is_needed(f, t->ids[i]) &&
		    !fuzz_one_in(f, t->ids[i] == DIMGBLK_A_DISKSEQ ? 8 : rate + 1))
			continue;
		p = &f->parts[f->nr_parts++];
		p->type = t->ids[i];
		fuzz_value(f, p, &t->attrs[t->ids[i]], 0);
	}
}

static inline struct fuzz_part *fuzz_any_part(struct fuzz *f)
{
	return f->nr_parts ? &f->parts[fuzz_draw(f, f->nr_parts)] : NULL;
}

/* One value of the plan becomes wrong. */
static inline void fuzz_wrong_value(struct fuzz *f)
{
	const struct policy_op *op = f->policy->ops;
	struct fuzz_part *p = fuzz_any_part(f);

	while (op->cmd != f->cmd)
		op++;
	if (p && p->type < POLICY_MAX_ATTRS)
		fuzz_value(f, p, &f->policy->tables[op->table].attrs[p->type], 1);
}

/* Parts missing, twice, unknown, of another operation, of another length. */
static inline void fuzz_wrong_parts(struct fuzz *f)
{
	struct fuzz_part *p = fuzz_any_part(f), *q;

	if (!p)
		return;
	q = &f->parts[f->nr_parts < FUZZ_MAX_PARTS ? f->nr_parts : 0];
	switch (fuzz_draw(f, 8)) {
	case 0:
		*p = f->parts[--f->nr_parts];
		return;
	case 1:
		*q = *p;
		break;
	case 2:
		*q = *p;
		q->data[fuzz_draw(f, 8)] ^= 1 << fuzz_draw(f, 8);
		break;
	case 3:
		*q = *p;
		q->type = DIMGBLK_A_MAX + fuzz_draw(f, 4);
		break;
	case 4:
		*q = *p;
		q->type = fuzz_draw(f, 0x4000);
		break;
	case 5:
		p->type ^= fuzz_one_in(f, 2) ? NLA_F_NESTED : NLA_F_NET_BYTEORDER;
		return;
	case 6:
		p->len = fuzz_draw(f, sizeof(p->data));
		return;
	case 7:
		p->type = fuzz_draw(f, DIMGBLK_A_MAX + 2);
		return;
	}
	if (f->nr_parts < FUZZ_MAX_PARTS)
		f->nr_parts++;
}

/* Appends the plan to what @msg holds already; tells where it begins. */
static inline size_t fuzz_put(struct fuzz *f, __u16 flags, __u32 seq)
{
	struct genl_msg *m = &f->msg;
	size_t start = m->len;
	struct nlmsghdr *nlh = (struct nlmsghdr *)(m->buf + start);
	struct genlmsghdr *g = NLMSG_DATA(nlh);
	int i;

	memset(nlh, 0, NLMSG_HDRLEN + GENL_HDRLEN);
	nlh->nlmsg_type = f->family.id;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = seq;
	g->cmd = f->cmd;
	g->version = DIMGBLK_FAMILY_VERSION;
	m->len += NLMSG_HDRLEN + GENL_HDRLEN;
	for (i = 0; i < f->nr_parts; i++)
		genl_put(m, f->parts[i].type, f->parts[i].data, f->parts[i].len);
	nlh->nlmsg_len = m->len - start;
	return start;
}

/* Attributes inside attributes, or one as large as can be. */
static inline void fuzz_wrap(struct fuzz *f, struct nlmsghdr *nlh)
{
	struct genl_msg *m = &f->msg;
	size_t inside = nlh->nlmsg_len - NLMSG_HDRLEN - GENL_HDRLEN;
	char *first = (char *)nlh + NLMSG_HDRLEN + GENL_HDRLEN;
	int depth = 1 + fuzz_draw(f, 60);
	struct nlattr *a;

	if (fuzz_one_in(f, 3)) {
		a = (struct nlattr *)(m->buf + m->len);
		memset(a, fuzz_draw(f, 256), FUZZ_BIG);
		a->nla_len = FUZZ_BIG;
		a->nla_type = fuzz_draw(f, DIMGBLK_A_MAX + 2);
		m->len += FUZZ_BIG;
	}
	while (depth-- && inside < 60000 && m->len < GENL_BUF_SIZE - 64) {
		memmove(first + NLA_HDRLEN, first, m->buf + m->len - first);
		a = (struct nlattr *)first;
		inside += NLA_HDRLEN;
		a->nla_len = inside;
		a->nla_type = fuzz_draw(f, DIMGBLK_A_MAX + 2) |
			      (fuzz_one_in(f, 2) ? NLA_F_NESTED : 0);
		m->len += NLA_HDRLEN;
	}
	nlh->nlmsg_len = m->buf + m->len - (char *)nlh;
}

/* Lies in the headers of the message at @start, or a cut. */
static inline void fuzz_wrong_bytes(struct fuzz *f, size_t start)
{
	static const __u32 lengths[] = {
		0, 1, 3, 4, 5, 15, 16, 17, 19, 20, 21, 0xffff, 1 << 20, 0x7fffffff, ~0u,
	};
	static const __u16 types[] = { 0, 1, 2, 3, 4, 15, GENL_ID_CTRL, 0x3ff, 0xffff };
	struct nlmsghdr *nlh = (struct nlmsghdr *)(f->msg.buf + start);
	struct genlmsghdr *g = NLMSG_DATA(nlh);
	struct nlattr *a = (struct nlattr *)((char *)g + GENL_HDRLEN);
	__u32 length = lengths[fuzz_draw(f, ARRAY_SIZE(lengths))];
	int skip = fuzz_draw(f, 4);
	size_t at;

	if (f->msg.len < start + NLMSG_HDRLEN + GENL_HDRLEN)
		return;
	switch (fuzz_draw(f, 12)) {
	case 0:
		nlh->nlmsg_len = fuzz_one_in(f, 2) ? length :
				 nlh->nlmsg_len + fuzz_draw(f, 40) - 20;
		break;
	case 1:
		nlh->nlmsg_type = types[fuzz_draw(f, ARRAY_SIZE(types))];
		break;
	case 2:
		nlh->nlmsg_flags = fuzz_draw(f, 65536);
		break;
	case 3:
		nlh->nlmsg_pid = mix64(f->rng);
		break;
	case 4:
		g->cmd = fuzz_one_in(f, 2) ? fuzz_draw(f, 10) : fuzz_draw(f, 256);
		break;
	case 5:
		g->version = fuzz_draw(f, 256);
		break;
	case 6:
		g->reserved = fuzz_draw(f, 65536);
		break;
	case 7:
		f->msg.len = start + fuzz_draw(f, f->msg.len - start + 1);
		break;
	case 8:
		f->msg.len = start + fuzz_draw(f, f->msg.len - start + 1);
		nlh->nlmsg_len = f->msg.len - start;
		break;
	case 9:
		fuzz_wrap(f, nlh);
		break;
	case 10:
		/* The number in it tells which message an answer is for. */
		at = fuzz_draw(f, f->msg.len - start);
		if (at < 8 || at >= 12)
			f->msg.buf[start + at] ^= 1 << fuzz_draw(f, 8);
		break;
	case 11:
		while (skip-- && NLA_ALIGN(a->nla_len) >= NLA_HDRLEN &&
		       (char *)a + NLA_ALIGN(a->nla_len) + NLA_HDRLEN <=
			       f->msg.buf + f->msg.len)
			a = (struct nlattr *)((char *)a + NLA_ALIGN(a->nla_len));
		a->nla_len = fuzz_one_in(f, 2) ? length : a->nla_len + fuzz_draw(f, 9) - 4;
		break;
	}
}

#endif /* DIMGBLK_SELFTEST_FUZZ_MSG_H */
