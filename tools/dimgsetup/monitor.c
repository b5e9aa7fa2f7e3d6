// SPDX-License-Identifier: GPL-2.0
/*
 * monitor.c - the command "monitor": events of all devices, one line each, as
 * they happen, until SIGINT or SIGTERM.
 *
 * Each line is flushed, and "listening" on stderr says from when on no event
 * is missed: programs wait for that word.
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "dimgsetup.h"

static const struct option options[] = {
	{ "json", no_argument, NULL, 'J' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

static const char * const event_texts[] = {
	[DIMGBLK_EVENT_ATTACH] = "attach",
	[DIMGBLK_EVENT_DETACH] = "detach",
	[DIMGBLK_EVENT_RESIZE] = "resize",
	[DIMGBLK_EVENT_SETTINGS] = "settings",
	[DIMGBLK_EVENT_ERROR] = "error",
};

static int usage(void)
{
	fputs("Usage: dimgsetup monitor [OPTION]...\n"
	      "Print events of all devices, one line each, until interrupted (Ctrl-C): attach,\n"
	      "detach, resize, settings, error. Says \"listening\" on stderr when it is ready.\n\n"
	      "  -J, --json     print each event as a JSON object on a line of its own\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* A newer kernel may send what this tool has no word for. */
static const char *event_text(const struct dimg_device *ev)
{
	if (ev->event >= sizeof(event_texts) / sizeof(*event_texts))
		return "unknown";
	return event_texts[ev->event];
}

/* Attributes that an event does not carry are left out of its line. */
static void print_text(const struct dimg_device *ev, void *arg)
{
	(void)arg;
	printf("%s /dev/" DIMG_NODE_PREFIX "%u", event_text(ev), ev->index);
	if (dimg_device_knows(ev, DIMGBLK_A_DISKSEQ))
		printf(" diskseq=%llu", (unsigned long long)ev->diskseq);
	if (ev->name && *ev->name) {
		fputs(" ref=", stdout);
		dimg_fputs_escaped(ev->name, stdout);
	}
	if (dimg_device_knows(ev, DIMGBLK_A_CAPACITY))
		printf(" size=%llu",
		       (unsigned long long)ev->capacity * DIMG_SECTOR_SIZE);
	if (dimg_device_knows(ev, DIMGBLK_A_DIRECT))
		printf(" direct=%s", dimg_direct_text(ev->direct));
	if (dimg_device_knows(ev, DIMGBLK_A_DIRECT_IN_USE))
		printf(" dio=%u", ev->direct_in_use);
	if (dimg_device_knows(ev, DIMGBLK_A_STATE))
		printf(" state=%s", dimg_state_text(ev->state));
	if (dimg_device_knows(ev, DIMGBLK_A_ERROR))
		printf(" error=%d (%s)", ev->error, strerror(-ev->error));
	if (dimg_device_knows(ev, DIMGBLK_A_ERROR_SECTOR))
		printf(" sector=%llu", (unsigned long long)ev->error_sector);
	putchar('\n');
	fflush(stdout);
}

/* Keys as in "list --json". Names cannot hold characters that need escaping. */
static void print_json(const struct dimg_device *ev, void *arg)
{
	(void)arg;
	/* one printf per attribute: absent ones must not show as 0 */
	printf("{\"event\":\"%s\",\"name\":\"/dev/" DIMG_NODE_PREFIX "%u\"",
	       event_text(ev), ev->index);
	if (dimg_device_knows(ev, DIMGBLK_A_DISKSEQ))
		printf(",\"diskseq\":%llu", (unsigned long long)ev->diskseq);
	if (ev->name && dimg_parse_is_name(ev->name))
		printf(",\"ref\":\"%s\"", ev->name);
	if (dimg_device_knows(ev, DIMGBLK_A_CAPACITY))
		printf(",\"size\":%llu",
		       (unsigned long long)ev->capacity * DIMG_SECTOR_SIZE);
	if (dimg_device_knows(ev, DIMGBLK_A_DIRECT))
		printf(",\"direct\":\"%s\"", dimg_direct_text(ev->direct));
	if (dimg_device_knows(ev, DIMGBLK_A_DIRECT_IN_USE))
		printf(",\"dio\":%s", ev->direct_in_use ? "true" : "false");
	if (dimg_device_knows(ev, DIMGBLK_A_STATE))
		printf(",\"state\":\"%s\"", dimg_state_text(ev->state));
	if (dimg_device_knows(ev, DIMGBLK_A_ERROR))
		printf(",\"errno\":%d,\"error\":\"%s\"", -ev->error,
		       strerror(-ev->error));
	if (dimg_device_knows(ev, DIMGBLK_A_ERROR_SECTOR))
		printf(",\"sector\":%llu",
		       (unsigned long long)ev->error_sector);
	puts("}");
	fflush(stdout);
}

/* SIGINT and SIGTERM as a descriptor, so that one poll() waits for all. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* Print events until a signal comes or nobody reads stdout any more. */
static int run(struct dimg_nl *nl, int signals, bool json)
{
	struct pollfd fds[] = {
		{ .fd = dimg_nl_event_fd(nl), .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
	};
	struct dimg_error e;

	fputs("listening\n", stderr);
	while (!ferror(stdout)) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			break;
		if (fds[1].revents)
			return DIMG_EXIT_OK;
		if (!fds[0].revents)
			continue;
		switch (dimg_nl_next_events(nl, json ? print_json : print_text,
					    NULL, &e)) {
		case 0:
			break;
		case -ENOBUFS:
			dimg_say(NULL,
				 "events were lost: they came faster than they could be printed\n"
				 "\"dimgsetup list\" shows the devices as they are now.");
			break;
		default:
			return dimg_fail(NULL, &e);
		}
	}
	return DIMG_EXIT_KERNEL;
}

/**
 * dimg_cmd_monitor - run "dimgsetup monitor"
 *
 * Ends with 0 when interrupted: that is how it is meant to end.
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_monitor(int argc, char **argv)
{
	int opt, ret, signals;
	struct dimg_error e;
	struct dimg_nl *nl;
	bool json = false;

	while ((opt = getopt_long(argc, argv, "JvhV", options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		if (opt == 'J') {
			json = true;
			continue;
		}
		ret = dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	if (optind != argc)
		return dimg_usage_error("no arguments, please: events of all devices are shown");
	ret = dimg_connect(&nl);
	if (ret)
		return ret;
	signals = open_signals();
	if (dimg_nl_subscribe(nl, &e))
		ret = dimg_fail(NULL, &e);
	else
		ret = run(nl, signals, json);
	if (signals >= 0)
		close(signals);
	dimg_nl_close(nl);
	return ret;
}
