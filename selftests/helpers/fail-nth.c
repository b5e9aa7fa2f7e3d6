// SPDX-License-Identifier: GPL-2.0
/*
 * Sweeps one operation of the driver with a failing allocation: the first one of the
 * operation fails, then the second one alone, and so on until none is left to fail
 * (/proc/self/fail-nth of kernels with CONFIG_FAULT_INJECTION, or modules/failnth.c
 * of ours). After each the state must be that of before the operation when it was
 * refused, that of after it when it was accepted, and one of both when the answer was
 * lost. See fail-nth-look.h for what is looked at.
 *
 * usage: fail-nth [-d] [-f FIRST | -l LAST] [-s STEP] [-m MAX] OPERATION KIND FILE
 *   OPERATION  load attach detach resize direct get dump event join read write
 *              discard
 *   KIND       of the device, a name of the table below, or for load: -
 *   FILE       the image, at least 8 MiB with a partition; for load: the module
 *   -l         only the last LAST points, where most is done that must be told
 *   -d         no failures, each operation once: does the sweep itself work?
 * Prints one line of figures. Exit: 0 swept and clean, 1 something was found, 2 wrong
 * use, 3 clean, but there was no allocation that could fail, 4 this kernel cannot.
 */
#define _GNU_SOURCE
#include <sys/syscall.h>

#include "fail-nth.h"
#include "fail-nth-look.h"

static const struct kind kinds[] = {
	{ .name = "plain" },
	{ .name = "named", .label = "swept", .flags = DIMGBLK_FLAG_AUTO_DETACH },
	{ .name = "partitions", .flags = DIMGBLK_FLAG_PARTITION_SCAN },
	{ .name = "window", .offset = 1 << 20, .limit = 4 << 20 },
	{ .name = "direct", .direct = DIMGBLK_DIRECT_ON, .block = 4096 },
	{ .name = "read-only", .flags = DIMGBLK_FLAG_READ_ONLY },
	{ .name = "follow", .flags = DIMGBLK_FLAG_FOLLOW },
	{ .name = "owned", .flags = DIMGBLK_FLAG_SOCKET_OWNER },
	{ .name = "queues", .queues = 2, .depth = 256 },
};

static struct sweep s;

static void usage(const char *what)
{
	fprintf(stderr, "fail-nth: %s: the head of the source says how\n", what);
	exit(2);
}

/* ---- operations: run() does it once with the n-th allocation failing ---------- */

static enum outcome run_load(unsigned int n)
{
	int fd = open(s.path, O_RDONLY | O_CLOEXEC);
	int ret;

	if (fd < 0)
		broken(&s, "cannot open the module");
	arm(&s, n);
	ret = syscall(SYS_finit_module, fd, "", 0);
	if (ret)
		ret = -errno;
	disarm(&s);
	close(fd);
	return answered(&s, ret);
}

static void check_load(enum outcome outcome)
{
	struct genl_family f;
	int found = !genl_resolve(s.fd, &f);
	int loaded = !access("/sys/module/dimgblk", F_OK);
	int accepted = outcome == AFTER;

	if (loaded != accepted || found != loaded)
		broken(&s, "module %sloaded, family %sthere", loaded ? "" : "not ",
		       found ? "" : "not ");
	if (loaded && syscall(SYS_delete_module, "dimgblk", O_NONBLOCK))
		broken(&s, "cannot unload: %s", strerror(errno));
}

static enum outcome run_attach(unsigned int n)
{
	return send_attach(&s, n);
}

static void check_attach(enum outcome outcome)
{
	int there = count_devices(&s) == 1;

	if (outcome == LOST)
		outcome = there ? AFTER : BEFORE;
	if (outcome == BEFORE) {
		check_absent(&s);
		return;
	}
	check_present(&s);
	must(&s, send_detach(&s, 0, DIMGBLK_DETACH_STRICT), "detach after attach");
	check_absent(&s);
}

/* For the other operations a device must be there first. */
static void need_device(void)
{
	if (!count_devices(&s))
		must(&s, send_attach(&s, 0), "attach");
	check_present(&s);
}

static enum outcome run_detach(unsigned int n)
{
	/* The modes in turn: their allocations are the same. */
	need_device();
	return send_detach(&s, n, n % 3);
}

static void check_detach(enum outcome outcome)
{
	if (outcome == LOST)
		outcome = count_devices(&s) ? BEFORE : AFTER;
	if (outcome == BEFORE)
		check_present(&s);
	else
		check_absent(&s);
}

static enum outcome run_resize(unsigned int n)
{
	need_device();
	s.old_size = device_size(&s);
	s.new_size = s.old_size == s.image_size ? s.image_size + (1 << 20) : s.image_size;
	if (ftruncate(s.image, s.new_size))
		broken(&s, "truncate: %s", strerror(errno));
	return send_set(&s, n, DIMGBLK_A_RESIZE, 0);
}

static void check_resize(enum outcome outcome)
{
	unsigned long long size = device_size(&s);

	if (size != s.old_size && size != s.new_size)
		broken(&s, "size %llu is neither %llu nor %llu", size, s.old_size,
		       s.new_size);
	if (outcome != LOST && size != (outcome == AFTER ? s.new_size : s.old_size))
		broken(&s, "%s, but the size is %llu", outcome_name(outcome), size);
}

static enum outcome run_direct(unsigned int n)
{
	need_device();
	s.was_direct = device_direct(&s);
	return send_set(&s, n, DIMGBLK_A_DIRECT,
			s.was_direct ? DIMGBLK_DIRECT_OFF : DIMGBLK_DIRECT_ON);
}

static void check_direct(enum outcome outcome)
{
	int direct = device_direct(&s);
	int switched = direct != s.was_direct, accepted = outcome == AFTER;

	if (outcome != LOST && switched != accepted)
		broken(&s, "%s, but direct went from %d to %d", outcome_name(outcome),
		       s.was_direct, direct);
	check_present(&s);
}

static enum outcome run_get(unsigned int n)
{
	need_device();
	return send_get(&s, n, 0);
}

static enum outcome run_dump(unsigned int n)
{
	need_device();
	return send_get(&s, n, NLM_F_DUMP);
}

/* An answer is whole, or it is an error. */
static void check_get(enum outcome outcome)
{
	if (outcome == AFTER && s.told != 1)
		broken(&s, "accepted, but told of %d devices", s.told);
	check_present(&s);
}

/* Who listens hears of it, or hears that something was not told. */
static enum outcome run_event(unsigned int n)
{
	s.listener = listener_open(&s);
	if (setsockopt(s.listener, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
		       &s.family.events_group, sizeof(s.family.events_group)))
		broken(&s, "cannot listen: %s", strerror(errno));
	return send_attach(&s, n);
}

static void check_event(enum outcome outcome)
{
	char buf[8192];
	int heard = recv(s.listener, buf, sizeof(buf), MSG_DONTWAIT) > 0 ||
		    errno == ENOBUFS;
	int accepted = outcome == AFTER;

	if (outcome != LOST && heard != accepted)
		broken(&s, "attach %s, but the listener was %s", outcome_name(outcome),
		       heard ? "told of it" : "told nothing");
	close(s.listener);
	check_attach(outcome);
}

static enum outcome run_join(unsigned int n)
{
	int fd = listener_open(&s), ret;

	arm(&s, n);
	ret = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			 &s.family.events_group, sizeof(s.family.events_group));
	if (ret)
		ret = -errno;
	disarm(&s);
	s.listener = fd;
	return answered(&s, ret);
}

/* Who has joined hears of the next attach, who was refused does not. */
static void check_join(enum outcome outcome)
{
	int accepted = outcome == AFTER;
	char buf[8192];
	int heard;

	must(&s, send_attach(&s, 0), "attach");
	heard = recv(s.listener, buf, sizeof(buf), MSG_DONTWAIT) > 0;
	if (heard != accepted)
		broken(&s, "%s, but events are %sheard", outcome_name(outcome),
		       heard ? "" : "not ");
	close(s.listener);
	must(&s, send_detach(&s, 0, DIMGBLK_DETACH_STRICT), "detach");
}

static enum outcome run_read(unsigned int n)
{
	need_device();
	memset(s.data, 0xee, sizeof(s.data));
	return device_io(&s, n, IO_READ);
}

static enum outcome run_write(unsigned int n)
{
	need_device();
	memset(s.data, n & 0x7f, sizeof(s.data));
	return device_io(&s, n, IO_WRITE);
}

static enum outcome run_discard(unsigned int n)
{
	need_device();
	memset(s.data, 0x55, sizeof(s.data));
	must(&s, device_io(&s, 0, IO_WRITE), "write");
	memset(s.data, 0, sizeof(s.data));
	return device_io(&s, n, IO_ZERO);
}

/* What was acknowledged is so in the backing file. */
static void check_io(enum outcome outcome)
{
	if (outcome == AFTER)
		check_range(&s);
	check_present(&s);
}

static const struct {
	const char *name;
	enum outcome (*run)(unsigned int n);
	void (*check)(enum outcome outcome);
} operations[] = {
	{ "load", run_load, check_load },
	{ "attach", run_attach, check_attach },
	{ "detach", run_detach, check_detach },
	{ "resize", run_resize, check_resize },
	{ "direct", run_direct, check_direct },
	{ "get", run_get, check_get },
	{ "dump", run_dump, check_get },
	{ "event", run_event, check_event },
	{ "join", run_join, check_join },
	{ "read", run_read, check_io },
	{ "write", run_write, check_io },
	{ "discard", run_discard, check_io },
};

/* Once, with the @n-th allocation failing; false if there are less. */
static int try(size_t op, unsigned int n)
{
	enum outcome outcome;
	int error;

	s.n = n;
	s.injected = 0;
	outcome = operations[op].run(n);
	error = s.error;
	s.outcomes[outcome]++;
	operations[op].check(outcome);
	s.points += s.injected;
	/* Nothing failed, so nothing may be refused. */
	if (!s.injected && outcome != AFTER)
		broken(&s, "without a failure: %s (%s)", outcome_name(outcome),
		       strerror(error));
	return s.injected;
}

/* Where to begin for the last @wanted points. */
static unsigned int find_last(size_t op, unsigned int wanted)
{
	unsigned int low = 0, high = 32, middle;

	while (high < 100000 && try(op, high)) {
		low = high;
		high *= 2;
	}
	while (high - low > 1) {
		middle = (low + high) / 2;
		if (try(op, middle))
			low = middle;
		else
			high = middle;
	}
	return high > wanted ? high - wanted : 1;
}

static void sweep(size_t op, unsigned int first, unsigned int step, unsigned int max)
{
	unsigned int n;

	for (n = first; n < first + max && !s.complete; n += step)
		s.complete = !try(op, n);
}

int main(int argc, char **argv)
{
	unsigned int first = 1, step = 1, max = 20000, last = 0;
	size_t i, op;
	int opt;

	while ((opt = getopt(argc, argv, "df:l:s:m:")) != -1) {
		switch (opt) {
		case 'd':
			s.dry = 1;
			break;
		case 'f':
			first = strtoul(optarg, NULL, 0);
			break;
		case 'l':
			last = strtoul(optarg, NULL, 0);
			break;
		case 's':
			step = strtoul(optarg, NULL, 0);
			break;
		case 'm':
			max = strtoul(optarg, NULL, 0);
			break;
		default:
			usage("option");
		}
	}
	if (argc - optind != 3 || !first || !step)
		usage("three arguments are needed");
	for (op = 0; strcmp(operations[op].name, argv[optind]);)
		if (++op == ARRAY_SIZE(operations))
			usage(argv[optind]);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, argv[optind + 1]))
			s.kind = &kinds[i];
	if (!s.kind && op)
		usage(argv[optind + 1]);
	s.path = argv[optind + 2];
	s.what = argv[optind];
	sweep_open(&s);

	if (last)
		first = find_last(op, last);
	sweep(op, first, step, max);
	if (s.kind && count_devices(&s))
		must(&s, send_detach(&s, 0, DIMGBLK_DETACH_STRICT), "detach at the end");
	printf("%s %s: %u points failed, %u refused, %u accepted, ",
	       s.what, s.kind ? s.kind->name : "-", s.points,
	       s.outcomes[BEFORE], s.outcomes[AFTER]);
	printf("%u answers lost, %u rescans%s%s\n", s.outcomes[LOST], s.rescans,
	       s.complete ? "" : "; NOT COMPLETE", s.found ? "; FOUND" : "");
	if (s.found || !s.complete)
		return 1;
	return s.points || s.dry ? 0 : 3;
}
