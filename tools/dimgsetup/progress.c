// SPDX-License-Identifier: GPL-2.0
/*
 * progress.c - owns what is shown of a long piece of work: a bar for people,
 * JSON lines for programs, both on stderr, since stdout is for results.
 *
 * A bar comes by itself on a terminal. Updates are cheap: most do nothing, five
 * a second are shown.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dimgsetup.h"

#define INTERVAL_US	200000
#define BAR_WIDTH_MAX	40

static const char * const words[] = {
	[DIMG_PROGRESS_AUTO] = "auto",
	[DIMG_PROGRESS_BAR] = "bar",
	[DIMG_PROGRESS_JSON] = "json",
	[DIMG_PROGRESS_NONE] = "none",
};

/**
 * dimg_progress_option - read the value of --progress
 *
 * Return: -1 to go on, else the exit code after the reason has been printed.
 */
int dimg_progress_option(const char *word, enum dimg_progress_mode *mode)
{
	size_t i;

	for (i = DIMG_PROGRESS_BAR; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcmp(word, words[i])) {
			*mode = i;
			return -1;
		}
	}
	return dimg_usage_error("--progress takes bar, json or none, not \"%s\"",
				word);
}

/* Bytes a second since the begin; 0 while it is too early to tell. */
static uint64_t rate(const struct dimg_progress *p, uint64_t now)
{
	double seconds = (now - p->start_us) / 1e6;

	return seconds > 0.05 ? p->done / seconds : 0;
}

/* Per mille, without overflow at any size. */
static unsigned int permille(const struct dimg_progress *p)
{
	if (!p->total)
		return 1000;
	if (p->total > UINT64_MAX / 1000)
		return p->done / (p->total / 1000);
	return p->done * 1000 / p->total;
}

static void put_json(const struct dimg_progress *p, uint64_t now, const char *state)
{
	unsigned int part = permille(p);

	fprintf(stderr,
		"{\"progress\":\"%s\",\"state\":\"%s\",\"done\":%llu,\"total\":%llu,\"percent\":%u.%u,\"bytes-per-second\":%llu}\n",
		p->what, state, (unsigned long long)p->done,
		(unsigned long long)p->total, part / 10, part % 10,
		(unsigned long long)rate(p, now));
}

static unsigned int columns(void)
{
	struct winsize ws;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &ws) || !ws.ws_col)
		return 80;
	return ws.ws_col;
}

static void put_bar(const struct dimg_progress *p, uint64_t now)
{
	char done[8], total[8], speed[8], bar[BAR_WIDTH_MAX + 1];
	unsigned int part = permille(p), width = columns();
	uint64_t bps = rate(p, now), left;

	dimg_human_size(p->done, done, sizeof(done));
	dimg_human_size(p->total, total, sizeof(total));
	dimg_human_size(bps, speed, sizeof(speed));
	left = bps ? (p->total - p->done) / bps : 0;
	/* words and numbers take about 50 columns */
	width = width > 60 ? width - 55 : 5;
	if (width > BAR_WIDTH_MAX)
		width = BAR_WIDTH_MAX;
	memset(bar, ' ', width);
	memset(bar, '#', (size_t)width * part / 1000);
	bar[width] = '\0';
	fprintf(stderr, "\r%-10s [%s] %3u%% %s/%s %s/s %llu:%02llu \033[K",
		p->what, bar, part / 10, done, total, speed,
		(unsigned long long)left / 60, (unsigned long long)left % 60);
	fflush(stderr);
}

static void put(struct dimg_progress *p, const char *state)
{
	uint64_t now = dimg_now_us();

	p->shown_us = now;
	if (p->mode == DIMG_PROGRESS_JSON)
		put_json(p, now, state);
	else if (p->mode == DIMG_PROGRESS_BAR)
		put_bar(p, now);
}

/**
 * dimg_progress_begin - begin to show progress
 * @p: mode is set by the caller, the rest here
 * @what: a constant word for what is done, such as "zero"
 * @total: bytes that there are to do
 */
void dimg_progress_begin(struct dimg_progress *p, const char *what,
			 uint64_t total)
{
	p->what = what;
	p->total = total;
	p->done = 0;
	p->start_us = dimg_now_us();
	if (p->mode == DIMG_PROGRESS_AUTO)
		p->mode = isatty(STDERR_FILENO) ? DIMG_PROGRESS_BAR :
			DIMG_PROGRESS_NONE;
	put(p, "begin");
}

/* dimg_progress_update - @done bytes are done, counted from the begin. */
void dimg_progress_update(struct dimg_progress *p, uint64_t done)
{
	p->done = done < p->total ? done : p->total;
	if (p->mode != DIMG_PROGRESS_NONE &&
	    dimg_now_us() - p->shown_us >= INTERVAL_US)
		put(p, "running");
}

/* dimg_progress_end - the last line; a failed work stays at what it reached. */
void dimg_progress_end(struct dimg_progress *p, bool ok)
{
	if (ok)
		p->done = p->total;
	put(p, ok ? "done" : "failed");
	if (p->mode == DIMG_PROGRESS_BAR)
		fputc('\n', stderr);
}
