/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The verdict of the fuzzer: what the kernel answered, by operation and errno, and
 * whether enough was reached for that to prove anything.
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_VERDICT_H
#define DIMGBLK_SELFTEST_FUZZ_VERDICT_H

#include "fuzz-check.h"

static inline __u64 verdict_sum(const struct check *c, int cmd, int error)
{
	__u64 sum = 0;
	int i;

	for (i = 0; i < NR_SENDERS; i++)
		sum += c->shared->tallies[i].errnos[cmd][error];
	return sum;
}

static inline void verdict_print(const struct check *c, int cmd, const char *name)
{
	int e;

	printf("%s: %llu accepted", name, verdict_sum(c, cmd, 0));
	for (e = 1; e < FUZZ_ERRNOS; e++)
		if (verdict_sum(c, cmd, e))
			printf(", %llu %s", verdict_sum(c, cmd, e),
			       strerrorname_np(e) ? strerrorname_np(e) : "ENONAME");
	printf("\n");
}

/*
 * Each refusal that the interface knows must have been provoked; in a short run, each
 * that cannot but come up.
 */
static inline void verdict_errnos(struct check *c, long count)
{
	static const int wanted[] = {
		EPERM, EINVAL, ERANGE, EBADF, ENODEV,
		EEXIST, EBUSY, EOVERFLOW, ESTALE, EOPNOTSUPP, ENOSPC,
	};
	size_t i, nr = count < CHECK_COVERAGE ? 5 : ARRAY_SIZE(wanted);
	__u64 sum;
	int cmd;

	for (i = 0; i < nr; i++) {
		for (sum = 0, cmd = 0; cmd < FUZZ_CMDS; cmd++)
			sum += verdict_sum(c, cmd, wanted[i]);
		if (!sum)
			check_fail(c, "never provoked: %s", strerrorname_np(wanted[i]));
	}
}

/* Each operation, and in a long run each attribute, must have been accepted. */
static inline void verdict_coverage(struct check *c, long count)
{
	const struct policy_table *t;
	const struct policy_op *op;
	int i, n, s;
	__u64 sum;

	for (i = 0; i < c->policy->nr_ops; i++) {
		op = &c->policy->ops[i];
		t = &c->policy->tables[op->table];
		if (op->cmd >= FUZZ_CMDS || !verdict_sum(c, op->cmd, 0))
			check_fail(c, "never accepted: command %d", op->cmd);
		for (n = 0; n < t->nr && count >= CHECK_COVERAGE && op->cmd < FUZZ_CMDS; n++) {
			for (sum = 0, s = 0; s < NR_SENDERS; s++)
				sum += c->shared->tallies[s].accepted[op->cmd][t->ids[n]];
			if (!sum)
				check_fail(c, "never accepted: attribute %d of command %d",
					   t->ids[n], op->cmd);
		}
	}
}

/* Exit status of the run. */
static inline int verdict(struct check *c, long count)
{
	static const char * const names[FUZZ_CMDS] = {
		"others", "attach", "detach", "get", "set", "event",
	};
	__u64 messages = 0, accepted = 0, refused = 0;
	char number[16];
	int cmd, e;

	check_failures(c);
	for (cmd = 0; cmd < NR_SENDERS; cmd++)
		messages += c->shared->tallies[cmd].sent;
	for (cmd = 0; cmd < FUZZ_CMDS; cmd++) {
		for (e = 1; e < FUZZ_ERRNOS; e++)
			refused += verdict_sum(c, cmd, e);
		accepted += verdict_sum(c, cmd, 0);
		snprintf(number, sizeof(number), "command %d", cmd);
		if (cmd <= c->policy->nr_ops || names[cmd])
			verdict_print(c, cmd, names[cmd] ? names[cmd] : number);
	}
	verdict_errnos(c, count);
	verdict_coverage(c, count);
	if (messages < (__u64)count * 9 / 10)
		check_fail(c, "only %llu of %ld messages were sent", messages, count);
	if (!c->compared || !c->devices)
		check_fail(c, "no device was there to be compared with its file");
	printf("fuzz: %llu messages, %llu accepted, %llu refused, %ld rounds, %ld devices checked, %ld blocks compared, %d failures\n",
	       messages, accepted, refused, c->rounds, c->devices, c->compared, c->failures);
	return c->failures ? 1 : 0;
}

#endif /* DIMGBLK_SELFTEST_FUZZ_VERDICT_H */
