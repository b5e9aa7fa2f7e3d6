/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Values of attributes for the fuzzer, sensible and odd ones, by what the policy
 * says of the attribute. Values seen in the kernel's replies come back in requests,
 * so that messages meet devices that exist.
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_VALUE_H
#define DIMGBLK_SELFTEST_FUZZ_VALUE_H

#include "fuzz-policy.h"
#include "fuzz-zoo.h"

#define FUZZ_MAX_PARTS	32
#define FUZZ_LEARNED	16

struct fuzz_part {
	__u16 type;
	__u16 len;		/* of the payload */
	unsigned char data[256];
};

struct fuzz {
	__u64 rng;
	struct genl_family family;
	const struct policy *policy;
	const struct zoo *zoo;
	__u64 learned[POLICY_MAX_ATTRS][FUZZ_LEARNED];
	int nr_learned[POLICY_MAX_ATTRS];
	char names[FUZZ_LEARNED][64];
	int nr_names;
	int plans;		/* number of the message, for names of its own */
	struct fuzz_part parts[FUZZ_MAX_PARTS];
	int nr_parts;
	__u8 cmd;
	struct genl_msg msg;
};

static inline __u64 fuzz_draw(struct fuzz *f, __u64 below)
{
	f->rng += 0x9e3779b97f4a7c15ULL;
	return mix64(f->rng) % below;
}

static inline int fuzz_one_in(struct fuzz *f, int n)
{
	return !fuzz_draw(f, n);
}

/* Remembers what a reply told. */
static inline void fuzz_learn(struct fuzz *f, const struct nlattr *a)
{
	size_t len = a->nla_len - NLA_HDRLEN;
	__u16 id = attr_id(a);

	if (id == DIMGBLK_A_NAME && len && len <= sizeof(f->names[0])) {
		memcpy(f->names[f->nr_names++ % FUZZ_LEARNED], attr_data(a), len);
	} else if (id < POLICY_MAX_ATTRS && len <= 8) {
		f->learned[id][f->nr_learned[id] % FUZZ_LEARNED] = attr_number(a);
		f->nr_learned[id]++;
	}
}

static inline __u64 fuzz_learned(struct fuzz *f, __u16 id)
{
	int n = f->nr_learned[id];

	if (!n)
		return fuzz_draw(f, 4);
	return f->learned[id][fuzz_draw(f, n < FUZZ_LEARNED ? n : FUZZ_LEARNED)];
}

/* A number that may pass. */
static inline __u64 fuzz_sane(struct fuzz *f, __u16 id, const struct policy_attr *pa)
{
	const struct zoo *z = f->zoo;

	switch (id) {
	case DIMGBLK_A_INDEX:
		if (f->cmd == DIMGBLK_CMD_DEVICE_ATTACH && !fuzz_one_in(f, 4))
			return 2000 + fuzz_draw(f, 1000);
		return fuzz_learned(f, id);
	case DIMGBLK_A_DISKSEQ:
		return fuzz_learned(f, id);
	case DIMGBLK_A_BACKING_FD:
		return z->good[fuzz_draw(f, z->nr_good)];
	case DIMGBLK_A_OFFSET:
	case DIMGBLK_A_SIZE_LIMIT:
		return fuzz_draw(f, 300) * 4096;
	case DIMGBLK_A_LOGICAL_BLOCK_SIZE:
		return fuzz_one_in(f, 3) ? 0 : 512 << fuzz_draw(f, 4);
	case DIMGBLK_A_QUEUE_DEPTH:
		return fuzz_draw(f, 300);
	}
	if (pa->mask)
		return fuzz_draw(f, pa->mask + 1) & fuzz_draw(f, pa->mask + 1);
	return fuzz_draw(f, pa->max < 8 ? pa->max + 1 : 3);
}

/* A number at some limit, or of somebody else. */
static inline __u64 fuzz_odd(struct fuzz *f, __u16 id, const struct policy_attr *pa)
{
	static const __u64 odd[] = {
		~0ULL, ~0ULL - 1, LLONG_MAX, (__u64)LLONG_MIN, LLONG_MAX - 511,
		LLONG_MAX - 4095, INT_MAX, (__u64)INT_MIN, UINT_MAX, 0, 1, 511, 513,
		4095, 4097, 0xfffff, 0x100000, ZOO_IMAGE_SIZE, ZOO_IMAGE_SIZE - 512,
		4 * ZOO_IMAGE_SIZE, 4 * ZOO_IMAGE_SIZE - 1, 256, 64, 65536,
	};
	const struct zoo *z = f->zoo;

	if (id == DIMGBLK_A_BACKING_FD && !fuzz_one_in(f, 4))
		return z->bad[fuzz_draw(f, z->nr_bad)];
	switch (fuzz_draw(f, 8)) {
	case 0:
		return pa->max + fuzz_draw(f, 3) - 1;
	case 1:
		return pa->min - 1;
	case 2:
		return pa->mask ? pa->mask + 1 : pa->max;
	case 3:
		return (1ULL << fuzz_draw(f, 64)) + fuzz_draw(f, 3) - 1;
	case 4:
		return fuzz_learned(f, id) + fuzz_draw(f, 3) - 1;
	case 5:
		return mix64(f->rng);
	}
	return odd[fuzz_draw(f, ARRAY_SIZE(odd))];
}

static inline size_t fuzz_number_size(__u32 type)
{
	switch (type) {
	case NL_ATTR_TYPE_U8:
	case NL_ATTR_TYPE_S8:
		return 1;
	case NL_ATTR_TYPE_U16:
	case NL_ATTR_TYPE_S16:
		return 2;
	case NL_ATTR_TYPE_U32:
	case NL_ATTR_TYPE_S32:
		return 4;
	}
	return 8;
}

/* Without its zero, with control characters, empty, too long, someone's. */
static inline void fuzz_string(struct fuzz *f, struct fuzz_part *p, __u32 max, int odd)
{
	static const char * const texts[] = {
		"", ".", "..", "-", "a/b", "../../etc", "dimgblk0", "a\nb", "\033[2J",
		"\x7f", "\xff\xfe", "%s%n", "a b", "UTF-\xc3\xa9", "witness",
	};
	char *s = (char *)p->data;
	size_t len;

	if (!odd || fuzz_one_in(f, 8)) {
		p->len = sprintf(s, "fuzz%d", f->plans) + 1;
		return;
	}
	switch (fuzz_draw(f, 5)) {
	case 0:
		len = max + fuzz_draw(f, 4) - 1;
		p->len = len < sizeof(p->data) ? len : sizeof(p->data);
		memset(s, 'n', p->len);
		if (p->len && fuzz_one_in(f, 2))
			s[p->len - 1] = '\0';
		break;
	case 1:
		p->len = 1 + fuzz_draw(f, 70);
		for (len = 0; len < p->len; len++)
			s[len] = fuzz_draw(f, 256);
		break;
	case 2:
		len = f->nr_names < FUZZ_LEARNED ? f->nr_names : FUZZ_LEARNED;
		len = fuzz_draw(f, len + 1) % FUZZ_LEARNED;
		p->len = sprintf(s, "%.63s", f->names[len]) + 1;
		break;
	default:
		p->len = sprintf(s, "%s", texts[fuzz_draw(f, ARRAY_SIZE(texts))]);
		p->len += !fuzz_one_in(f, 3);
	}
}

static inline void fuzz_value(struct fuzz *f, struct fuzz_part *p,
			      const struct policy_attr *pa, int odd)
{
	__u64 v;

	switch (pa->type) {
	case NL_ATTR_TYPE_FLAG:
		p->len = odd ? fuzz_draw(f, 5) : 0;
		break;
	case NL_ATTR_TYPE_STRING:
	case NL_ATTR_TYPE_NUL_STRING:
		fuzz_string(f, p, pa->max_len, odd);
		break;
	case NL_ATTR_TYPE_BINARY:
		p->len = fuzz_draw(f, (odd || !pa->max_len ? 200 : pa->max_len) % 200 + 1);
		break;
	case NL_ATTR_TYPE_NESTED:
	case NL_ATTR_TYPE_NESTED_ARRAY:
		p->len = fuzz_draw(f, 20) * 4;
		p->type |= NLA_F_NESTED;
		break;
	default:
		v = odd ? fuzz_odd(f, p->type, pa) : fuzz_sane(f, p->type, pa);
		p->len = fuzz_number_size(pa->type);
		memcpy(p->data, &v, sizeof(v));
		break;
	}
}

#endif /* DIMGBLK_SELFTEST_FUZZ_VALUE_H */
