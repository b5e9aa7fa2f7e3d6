// SPDX-License-Identifier: GPL-2.0
/*
 * Replay: checks crash states of a log on the host, without a guest.
 *
 * For logs of an image whose place on the disk is known and does not change: a
 * block device, or a file written whole beforehand and never punched, with the
 * records at its start. States are spread evenly over the events of the log.
 *
 * usage: replay [-l] NAME STATES SEED
 *   -l   as if the disk had ignored flush and FUA: a checker that finds nothing
 *        then is none
 * Prints "STATES checked, BAD bad, with acknowledged batches: N". Exit: 0; 1 some
 * are bad; 2 no use of the log.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../selftests/helpers/records.h"
#include "events.h"

#define MAX_PIECES	256

/* Where the image is on the disk. */
struct piece {
	uint64_t logical, physical, len;
};

static struct piece pieces[MAX_PIECES];
static unsigned int nr_pieces;

/* What a state changed in the image, to be put back. */
struct undo {
	struct power_walk *walk;
	unsigned char *old;
	size_t len, max;
};

struct undo_piece {
	uint64_t off, len;
};

static void apply_with_undo(void *arg, uint64_t off, const void *data, size_t len)
{
	struct undo_piece piece = { off, len };
	struct undo *u = arg;

	while (u->len + len + sizeof(piece) > u->max) {
		u->max = u->max * 2 + (1 << 20);
		u->old = realloc(u->old, u->max);
		if (!u->old)
			abort();
	}
	memcpy(u->old + u->len, u->walk->image + off, len);
	u->len += len;
	memcpy(u->old + u->len, &piece, sizeof(piece));
	u->len += sizeof(piece);
	memcpy(u->walk->image + off, data, len);
}

static void take_back(struct undo *u)
{
	struct undo_piece piece;

	while (u->len) {
		u->len -= sizeof(piece);
		memcpy(&piece, u->old + u->len, sizeof(piece));
		u->len -= piece.len;
		memcpy(u->walk->image + piece.off, u->old + u->len, piece.len);
	}
}

/* One sector of the image. */
static const unsigned char *sector_at(const struct power_walk *walk, uint64_t pos)
{
	unsigned int i;

	for (i = 0; i < nr_pieces; i++)
		if (pos >= pieces[i].logical && pos - pieces[i].logical < pieces[i].len)
			return walk->image + pieces[i].physical + pos - pieces[i].logical;
	fprintf(stderr, "replay: byte %llu of the image is nowhere\n",
		(unsigned long long)pos);
	exit(2);
}

/* Return: whether all that was acknowledged is there. */
static bool check_state(const struct power_walk *walk, bool quiet)
{
	const struct power_acks *a = &walk->acks;
	unsigned int t, s, nr = a->area / SECTOR, bad = 0;
	static struct records_sector *want;
	__u64 words[RECORDS_WORDS];

	if (!want)
		want = calloc(nr, sizeof(*want));
	for (t = 0; t < a->threads; t++) {
		records_expect(want, nr, a->seed, t, a->batch[t], false);
		for (s = 0; s < nr; s++) {
			memcpy(words, sector_at(walk, (uint64_t)t * a->area + s * SECTOR),
			       SECTOR);
			bad += !!records_compare(&want[s], words, a->seed, t, s,
						 quiet || bad > 4);
		}
	}
	return !bad;
}

static bool any_ack(const struct power_acks *acks)
{
	unsigned int t;

	for (t = 0; t < acks->threads; t++)
		if (acks->batch[t])
			return true;
	return false;
}

static uint64_t count(struct power_walk walk)
{
	const struct power_event *event;
	uint64_t n = 0;

	while ((event = power_next(&walk))) {
		walk.at += sizeof(*event) + ((event->data_len + 7) & ~7U);
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	uint64_t states, draws, total, done = 0, bad = 0, told = 0;
	const struct power_event *event;
	struct power_walk walk;
	struct undo undo = { .walk = &walk };
	bool lying = false;
	int opt;

	while ((opt = getopt(argc, argv, "l")) != -1)
		lying = opt == 'l';
	if (argc - optind != 3 || !power_open(&walk, argv[optind]))
		return 2;
	walk.lying = lying;
	states = strtoull(argv[optind + 1], NULL, 0);
	draws = power_mix(strtoull(argv[optind + 2], NULL, 0));
	total = count(walk);
	while ((event = power_step(&walk))) {
		if (event->type == POWER_MAP && nr_pieces < MAX_PIECES)
			pieces[nr_pieces++] = (struct piece) {
				event->off, event->id, event->len
			};
		/* Their share of the states falls to the next event. */
		if (!walk.acks.threads || !nr_pieces)
			continue;
		for (; done < walk.seq * states / total; done++) {
			power_crash(&walk, draws + done, apply_with_undo, &undo);
			if (!check_state(&walk, lying)) {
				bad++;
				if (!lying)
					fprintf(stderr, "replay: %s: state %llu at event %llu is bad\n",
						argv[optind], (unsigned long long)done,
						(unsigned long long)walk.seq);
			}
			told += any_ack(&walk.acks);
			take_back(&undo);
		}
	}
	printf("%llu checked, %llu bad, with acknowledged batches: %llu\n",
	       (unsigned long long)done, (unsigned long long)bad,
	       (unsigned long long)told);
	power_close(&walk);
	free(undo.old);
	return !done || !told ? 2 : bad ? 1 : 0;
}
