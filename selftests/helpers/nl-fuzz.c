// SPDX-License-Identifier: GPL-2.0
/*
 * Fuzzes the dimgblk family. What it sends is drawn from the policy that the
 * running kernel tells (fuzz-policy.h), descriptors from a zoo (fuzz-zoo.h), and
 * then bent (fuzz-msg.h). Six senders at once: root twice, root on a user's socket,
 * a user, a user who is root of a user namespace, root with CAP_NET_ADMIN only.
 * Rounds: all send their share, then all rest while the state is checked
 * (fuzz-check.h) and what was attached by accident is detached.
 *
 * usage: nl-fuzz SEED COUNT ROUND DIR WITNESS [FILE]...
 *   COUNT    messages altogether       ROUND  messages between checks
 *   DIR      a folder for the files that are offered as backing files
 *   WITNESS  index of a device on DIR/witness.img, which must not be harmed
 *   FILE     more to offer, such as block devices; they are never written
 * Exit: 0; 1 something is wrong, or too little was reached; 2 wrong use.
 */
#define _GNU_SOURCE
#include <poll.h>
#include <sys/wait.h>

#include "fuzz-sender.h"
#include "fuzz-verdict.h"

#define PATIENCE_MS	180000

static int main_loop(struct check *c, const int *go, int done, long count, int round)
{
	struct pollfd p = { .fd = done, .events = POLLIN };
	int i, share;

	for (; count > 0 && !check_failures(c); count -= round) {
		for (i = 0; i < NR_SENDERS; i++)
			if (write(go[i], &round, sizeof(round)) < 0)
				return check_fail(c, "a sender is gone");
		for (i = 0; i < NR_SENDERS; i++)
			if (poll(&p, 1, PATIENCE_MS) != 1 ||
			    read(done, &share, sizeof(share)) <= 0)
				return check_hang(c);
		check_round(c);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int go[NR_SENDERS], back[2], ask[2], i;
	static struct check c;
	__u64 seed;

	if (argc < 6) {
		fprintf(stderr, "nl-fuzz: the head of the source says how\n");
		return 2;
	}
	seed = strtoull(argv[1], NULL, 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED || pipe2(back, O_CLOEXEC))
		return 2;
	shared->witness = strtoul(argv[5], NULL, 0);
	i = genl_open();
	if (i < 0 || genl_resolve(i, &fuzz.family) ||
	    policy_read(i, &fuzz.family, &policy)) {
		fprintf(stderr, "nl-fuzz: no dimgblk family, or it tells no policy\n");
		return 2;
	}
	close(i);
	printf("seed %llu, %s messages; the kernel's policy: %d operations, %d attributes\n",
	       seed, argv[2], policy.nr_ops, policy.nr_attrs);
	zoo_open(&zoo, argv[4], argv + 6, argc - 6);
	printf("descriptors: %d that may be attached, %d that may not\n", zoo.nr_good,
	       zoo.nr_bad);
	fflush(stdout);
	for (i = 0; i < NR_SENDERS; i++) {
		if (pipe2(ask, O_CLOEXEC))
			return 2;
		go[i] = ask[1];
		if (!fork()) {
			close(ask[1]);
			sender_main(i, seed, ask[0], back[1]);
		}
		close(ask[0]);
	}
	close(back[1]);
	check_begin(&c, shared, &fuzz.family, &policy, &zoo, argv[4]);
	main_loop(&c, go, back[0], atol(argv[2]), atoi(argv[3]));
	for (i = 0; i < NR_SENDERS; i++)
		close(go[i]);
	/* A sender that hangs in the kernel would be waited for in vain. */
	while (!c.hangs && wait(NULL) > 0)
		;
	for (i = 0; i < NR_SENDERS; i++)
		printf("%s: %llu messages, %llu dumps\n", senders[i].name,
		       shared->tallies[i].sent, shared->tallies[i].dumps);
	return verdict(&c, atol(argv[2]));
}
