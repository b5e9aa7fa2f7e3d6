// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command and prints the kernel's block uevents of dimgblk devices that
 * came meanwhile, one line each: "ACTION DEVNAME" plus " RESIZE" where the event
 * says so. The kernel queues a uevent on our socket before the call that causes
 * it returns, so nothing has to be waited for; -w MS waits for events of things
 * that happen later, until it has been quiet for that long.
 *
 * usage: uevents [-w MS] COMMAND [ARG]...       exit: that of the command
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/netlink.h>

static void print_event(const char *buf, const char *end)
{
	const char *action = "", *name = "", *subsystem = "", *resize = "";
	const char *p;

	for (p = buf; p < end; p += strlen(p) + 1) {
		if (!strncmp(p, "ACTION=", 7))
			action = p + 7;
		else if (!strncmp(p, "DEVNAME=", 8))
			name = p + 8;
		else if (!strncmp(p, "SUBSYSTEM=", 10))
			subsystem = p + 10;
		else if (!strcmp(p, "RESIZE=1"))
			resize = " RESIZE";
	}
	if (!strcmp(subsystem, "block") && !strncmp(name, "dimgblk", 7))
		printf("%s %s%s\n", action, name, resize);
}

static void drain(int fd, int patience_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[16384];
	ssize_t n;

	while (poll(&p, 1, patience_ms) > 0) {
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n <= 0)
			continue;
		buf[n] = '\0';
		print_event(buf, buf + n);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd, status, patience_ms = 0, size = 8 << 20;
	pid_t pid;

	if (argc > 2 && !strcmp(argv[1], "-w")) {
		patience_ms = atoi(argv[2]);
		argc -= 2;
		argv += 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: uevents [-w MS] COMMAND [ARG]...\n");
		return 2;
	}
	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		perror("uevents: listen");
		return 2;
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));

	pid = fork();
	if (!pid) {
		/* Our output is the list of events, the command's is not. */
		dup2(STDERR_FILENO, STDOUT_FILENO);
		execvp(argv[1], argv + 1);
		perror(argv[1]);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	drain(fd, patience_ms);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}
