// SPDX-License-Identifier: GPL-2.0
/*
 * Control: the commands that a guest writes to the export "control".
 *
 *   begin NAME [KILL]     log from here on to DIR/NAME.log; what the guest sees now is
 *                         what the disk began with. KILL: within so many ms,
 *                         cut the power: the guest is killed
 *   threads N SEED AREA   who writes what, for the checker
 *   map LOGICAL PHYSICAL LENGTH   where a piece of the image is on the disk
 *   ack THREAD BATCH      the batch was told to be durable
 *   end                   stop logging
 *   wipe                  fill the disk with foreign bytes
 *   state NAME moment|random|end|finish K SEED
 *                         let "crash" show what a cut leaves at the K-th moment of
 *                         that log, or at a random event, or where the power was
 *                         cut, or where the log was ended
 *
 * The answer is "ok ...", for state "ok ACK..." with one ACK a thread; "none" if
 * there is no such moment; "error ..." if anything is wrong.
 */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "disk.h"

static pthread_t fate;
static unsigned long kill_within;
/* Counts recordings, so that each has moments of its own. */
static uint64_t recordings;

static void answer(const char *text)
{
	snprintf(disk.answer, sizeof(disk.answer), "%s\n", text);
}

/* Microseconds between @low and @high, each magnitude as likely as the others. */
static unsigned long draw_time(uint64_t draw, unsigned long low, unsigned long high)
{
	unsigned long top = low;
	unsigned int magnitudes = 1;

	draw = power_mix(draw ^ disk.seed);
	while (top < high / 2) {
		top *= 2;
		magnitudes++;
	}
	low <<= draw % magnitudes;
	high = low * 2 < high ? low * 2 : high;
	return low + (draw >> 8) % (high - low + 1);
}

static void nap(unsigned long us)
{
	struct timespec ts = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&ts, NULL);
}

/* Marks moments at random times, or cuts the power at one. */
static void *fate_thread(void *arg)
{
	uint64_t me = (uintptr_t)arg, n;

	if (kill_within) {
		nap(draw_time(me << 32, 10000, kill_within * 1000));
		pthread_mutex_lock(&disk.lock);
		if (disk.log && me == recordings) {
			power_log(POWER_CUT, 0, 0, 0, 0, NULL);
			fclose(disk.log);
			disk.log = NULL;
			disk.off = true;
			kill(disk.client, SIGKILL);
		}
		pthread_mutex_unlock(&disk.lock);
		return NULL;
	}
	for (n = 0;; n++) {
		nap(draw_time((me << 32) + n, 5000, 200000));
		pthread_mutex_lock(&disk.lock);
		if (!disk.log || me != recordings)
			break;
		power_log(POWER_MOMENT, n, 0, 0, 0, NULL);
		pthread_mutex_unlock(&disk.lock);
	}
	pthread_mutex_unlock(&disk.lock);
	return NULL;
}

static bool save_base(const char *name)
{
	char path[4096];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s.base", disk.dir, name);
	f = fopen(path, "we");
	if (!f)
		return false;
	ok = fwrite(disk.image, disk.size, 1, f) == 1;
	return fclose(f) == 0 && ok;
}

static void do_begin(const char *name, unsigned long within)
{
	char path[4096];

	if (disk.log || strchr(name, '/')) {
		answer("error recording already, or a bad name");
		return;
	}
	snprintf(path, sizeof(path), "%s/%s.log", disk.dir, name);
	disk.log = save_base(name) ? fopen(path, "we") : NULL;
	if (!disk.log) {
		answer("error cannot write the log");
		return;
	}
	disk.seq = 0;
	recordings++;
	kill_within = within;
	if (pthread_create(&fate, NULL, fate_thread, (void *)(uintptr_t)recordings))
		abort();
	pthread_detach(fate);
	answer("ok");
}

static void do_end(void)
{
	if (disk.log)
		fclose(disk.log);
	disk.log = NULL;
	answer("ok");
}

static void apply_to_crash(void *arg, uint64_t off, const void *data, size_t len)
{
	(void)arg;
	memcpy(disk.crash + off, data, len);
}

/* How many events the log has. */
static uint64_t count_events(const struct power_walk *walk)
{
	struct power_walk copy = *walk;
	const struct power_event *event;
	uint64_t n = 0;

	while ((event = power_next(&copy))) {
		copy.at += sizeof(*event) + ((event->data_len + 7) & ~7U);
		n++;
	}
	return n;
}

/* Walk to the point asked for. Return: whether it is there. */
static bool walk_to(struct power_walk *walk, const char *kind, uint64_t k,
		    uint64_t seed)
{
	const struct power_event *event;
	uint64_t moments = 0, stop = UINT64_MAX;
	bool moment = !strcmp(kind, "moment");
	uint32_t last = 0;

	if (!strcmp(kind, "random"))
		stop = power_mix(seed + k) % (count_events(walk) + 1);
	while (walk->seq < stop && (event = power_step(walk))) {
		last = event->type;
		/* Before the writers began there is nothing to lose. */
		if (moment && last == POWER_MOMENT && walk->acks.threads &&
		    moments++ == k)
			return true;
	}
	if (!strcmp(kind, "finish"))
		return last != POWER_CUT;
	return stop != UINT64_MAX || (!moment && last == POWER_CUT);
}

static void do_state(const char *name, const char *kind, uint64_t k, uint64_t seed)
{
	struct power_walk walk;
	char path[4096];
	unsigned int i;
	int at;

	snprintf(path, sizeof(path), "%s/%s", disk.dir, name);
	if (!power_open(&walk, path)) {
		answer("error cannot read the log");
		return;
	}
	if (walk.size != disk.size) {
		answer("error the log is of a disk of another size");
	} else if (!walk_to(&walk, kind, k, seed)) {
		answer("none");
	} else {
		memcpy(disk.crash, walk.image, disk.size);
		power_crash(&walk, seed + k, apply_to_crash, NULL);
		at = snprintf(disk.answer, sizeof(disk.answer), "ok");
		for (i = 0; i < walk.acks.threads; i++)
			at += snprintf(disk.answer + at, sizeof(disk.answer) - at, " %llu",
				       (unsigned long long)walk.acks.batch[i]);
		snprintf(disk.answer + at, sizeof(disk.answer) - at, "\n");
	}
	power_close(&walk);
}

/* Execute @text, which need not end in a zero; with @disk.lock held. */
void power_command(const char *text, size_t len)
{
	char line[4096] = "", name[128], kind[16];
	unsigned long long a, b, c;

	memcpy(line, text, len < sizeof(line) ? len : sizeof(line) - 1);
	line[strcspn(line, "\n")] = '\0';
	a = 0;
	if (sscanf(line, "ack %llu %llu", &a, &b) == 2) {
		power_log(POWER_ACK, a, b, 0, 0, NULL);
	} else if (sscanf(line, "begin %127s %llu", name, &a) >= 1) {
		do_begin(name, a);
	} else if (sscanf(line, "threads %llu %llu %llu", &a, &b, &c) == 3) {
		power_log(POWER_THREADS, a, b, c, 0, NULL);
		answer("ok");
	} else if (sscanf(line, "map %llu %llu %llu", &a, &b, &c) == 3) {
		power_log(POWER_MAP, b, a, c, 0, NULL);
		answer("ok");
	} else if (!strcmp(line, "end")) {
		do_end();
	} else if (!strcmp(line, "wipe")) {
		memset(disk.image, FOREIGN, disk.size);
		answer("ok");
	} else if (sscanf(line, "state %127s %15s %llu %llu", name, kind, &a, &b) == 4) {
		do_state(name, kind, a, b);
	} else {
		answer("error no such command");
	}
}
