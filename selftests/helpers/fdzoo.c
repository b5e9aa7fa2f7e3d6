// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command with an unusual descriptor as number 9: everything that is no
 * disk image, and images opened in ways that are not enough. The list is the
 * table of what a block driver on files has to refuse.
 *
 * usage: fdzoo KIND [PATH] -- COMMAND [ARG]...
 *        fdzoo --list            kinds that need no path
 *        fdzoo filled PATH ...   an image that somebody fills when it is read (fanotify)
 *        fdzoo --set append|direct     that flag for the open file of descriptor 9,
 *                                which keeps it when we have ended
 * Exit: that of the command; 4 if this kernel has no such thing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/io_uring.h>

#define TARGET_FD 9

#ifndef FAN_PRE_ACCESS
#define FAN_PRE_ACCESS	0x00100000
#endif

static int open_pipe(void)
{
	int p[2];

	return pipe(p) ? -1 : p[1];
}

static int open_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int open_packet_socket(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static int open_eventfd(void)
{
	return eventfd(0, 0);
}

static int open_timerfd(void)
{
	return timerfd_create(CLOCK_MONOTONIC, 0);
}

static int open_signalfd(void)
{
	sigset_t none;

	sigemptyset(&none);
	return signalfd(-1, &none, 0);
}

static int open_epoll(void)
{
	return epoll_create1(0);
}

static int open_inotify(void)
{
	return inotify_init1(0);
}

static int open_pidfd(void)
{
	return syscall(SYS_pidfd_open, getpid(), 0);
}

static int open_userfaultfd(void)
{
	return syscall(SYS_userfaultfd, 0);
}

static int open_io_uring(void)
{
	struct io_uring_params p;

	memset(&p, 0, sizeof(p));
	return syscall(SYS_io_uring_setup, 4, &p);
}

static int open_bpf_map(void)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 8;
	attr.max_entries = 512;
	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
}

static int open_pty(void)
{
	return posix_openpt(O_RDWR | O_NOCTTY);
}

static int open_namespace(void)
{
	return open("/proc/self/ns/mnt", O_RDONLY);
}

static const struct kind {
	const char *name;
	int (*open)(void);
} kinds[] = {
	{ "pipe", open_pipe },
	{ "socket", open_socket },
	{ "netlink-socket", open_packet_socket },
	{ "eventfd", open_eventfd },
	{ "timerfd", open_timerfd },
	{ "signalfd", open_signalfd },
	{ "epoll", open_epoll },
	{ "inotify", open_inotify },
	{ "pidfd", open_pidfd },
	{ "userfaultfd", open_userfaultfd },
	{ "io_uring", open_io_uring },
	{ "bpf-map", open_bpf_map },
	{ "pty", open_pty },
	{ "namespace", open_namespace },
};

static const struct mode {
	const char *name;
	int flags;
} modes[] = {
	{ "rdonly", O_RDONLY },
	{ "wronly", O_WRONLY },
	{ "rdwr", O_RDWR },
	{ "path", O_PATH },
	{ "append", O_RDWR | O_APPEND },
	{ "dsync", O_RDWR | O_DSYNC },
	{ "direct", O_RDWR | O_DIRECT },
	{ "directory", O_RDONLY | O_DIRECTORY },
};

static const struct seal {
	const char *name;
	unsigned int seals;
} seals[] = {
	{ "memfd", 0 },
	{ "memfd-write", F_SEAL_WRITE },
	{ "memfd-future-write", 0x0010 },
	{ "memfd-shrink", F_SEAL_SHRINK },
	{ "memfd-grow", F_SEAL_GROW },
	{ "memfd-size", F_SEAL_SHRINK | F_SEAL_GROW },
};

#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))

static int open_memfd(unsigned int wanted)
{
	int fd = memfd_create("zoo", MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, 1 << 20))
		return -1;
	return fcntl(fd, F_ADD_SEALS, wanted) ? -1 : fd;
}

/* Nobody answers the events, so nobody may read it by a system call. */
static int open_filled(const char *path)
{
	int watch = fanotify_init(FAN_CLASS_PRE_CONTENT, O_RDWR);

	if (watch < 0 ||
	    fanotify_mark(watch, FAN_MARK_ADD, FAN_PRE_ACCESS, AT_FDCWD, path))
		return -1;
	return open(path, O_RDWR);
}

static int open_kind(const char *name, const char *path)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].open();
	for (i = 0; i < ARRAY_SIZE(seals); i++)
		if (!strcmp(seals[i].name, name))
			return open_memfd(seals[i].seals);
	if (path && !strcmp(name, "filled"))
		return open_filled(path);
	for (i = 0; path && i < ARRAY_SIZE(modes); i++)
		if (!strcmp(modes[i].name, name))
			return open(path, modes[i].flags);
	fprintf(stderr, "fdzoo: no kind '%s' (or it wants a path)\n", name);
	exit(2);
}

int main(int argc, char **argv)
{
	const char *path = NULL;
	int fd, i;

	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (i = 0; i < (int)ARRAY_SIZE(kinds); i++)
			puts(kinds[i].name);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "--set")) {
		fd = !strcmp(argv[2], "append") ? O_APPEND : O_DIRECT;
		return fcntl(TARGET_FD, F_SETFL, fcntl(TARGET_FD, F_GETFL) | fd) ? 1 : 0;
	}
	for (i = 2; i < argc && strcmp(argv[i], "--"); i++)
		path = argv[i];
	if (i + 1 >= argc) {
		fprintf(stderr, "usage: fdzoo KIND [PATH] -- COMMAND [ARG]...\n");
		return 2;
	}
	fd = open_kind(argv[1], path);
	if (fd < 0) {
		printf("%s\n", strerrorname_np(errno));
		return 4;
	}
	if (dup2(fd, TARGET_FD) < 0)
		return 2;
	execvp(argv[i + 1], argv + i + 1);
	perror(argv[i + 1]);
	return 127;
}
