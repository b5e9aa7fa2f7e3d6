// SPDX-License-Identifier: GPL-2.0
/*
 * Steps in right before a system call of another program: what happens between its last
 * look and the call happens each time, not once in a million.
 *
 * usage: before-call CALL[,CALL]... COMMAND PROGRAM [ARG]...
 *
 * Runs PROGRAM. Before each of the calls, by it or its children, "sh -c COMMAND" is run
 * with the name of the call as $1, the count of such calls so far as $2, and the path that
 * openat is given as $3. If that exits with 0 the call goes on; with another status the
 * call is not made and fails with that errno. Exit status is that of PROGRAM.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX	8

static const struct {
	const char *name;
	int nr;
} names[] = {
#ifdef SYS_rename
	{ "rename", SYS_rename },
#endif
#ifdef SYS_renameat
	{ "renameat", SYS_renameat },
#endif
	{ "renameat2", SYS_renameat2 },
	{ "linkat", SYS_linkat },
	{ "unlinkat", SYS_unlinkat },
	{ "openat", SYS_openat },
	{ "pread64", SYS_pread64 },
	{ "fchmod", SYS_fchmod },
	{ "fcntl", SYS_fcntl },
	{ "fgetxattr", SYS_fgetxattr },
	{ "fallocate", SYS_fallocate },
	{ "fsync", SYS_fsync },
	{ "ftruncate", SYS_ftruncate },
};

static void die(const char *what)
{
	perror(what);
	exit(125);
}

static const char *name_of(int nr)
{
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (names[i].nr == nr)
			return names[i].name;
	return "?";
}

/* The numbers in a list of names; returns how many. */
static int parse_calls(char *list, int *calls)
{
	char *name;
	size_t i;
	int n = 0;

	while ((name = strsep(&list, ","))) {
		for (i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strcmp(names[i].name, name))
				break;
		if (i == sizeof(names) / sizeof(*names) || n == CALLS_MAX) {
			fprintf(stderr, "before-call: no such call: %s\n", name);
			exit(125);
		}
		calls[n++] = names[i].nr;
	}
	return n;
}

/* In the child: the calls are asked about from here on. Returns the descriptor to ask. */
static int install(const int *calls, int n)
{
	struct sock_filter code[CALLS_MAX + 3] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { .len = n + 3, .filter = code };
	int i;

	for (i = 0; i < n; i++)
		code[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
							   calls[i], n - i, 0);
	code[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	code[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		die("no_new_privs");
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
}

static void run_program(char **argv, const int *calls, int n, int parent)
{
	int fd = install(calls, n);

	/* it is closed by the exec, so it must have been fetched before */
	if (fd < 0 || write(parent, &fd, sizeof(fd)) != sizeof(fd) ||
	    read(parent, &fd, sizeof(fd)) != sizeof(fd))
		die("seccomp");
	execvp(argv[0], argv);
	die(argv[0]);
}

/* The path that is given to openat(), empty for other calls or if it cannot be read. */
static void read_path(const struct seccomp_notif *req, char *path, size_t len)
{
	char mem[32];
	ssize_t n;
	int fd;

	memset(path, 0, len);
	if (req->data.nr != SYS_openat)
		return;
	snprintf(mem, sizeof(mem), "/proc/%u/mem", req->pid);
	fd = open(mem, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, path, len - 1, req->data.args[1]);
	if (n < 0)
		path[0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* The exit status of the command before this call. */
static int step_in(const char *command, const char *call, int count, const char *path)
{
	char number[16];
	int status;
	pid_t pid;

	snprintf(number, sizeof(number), "%d", count);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, "sh", call, number, path, NULL);
		die("/bin/sh");
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		die("the command");
	return WEXITSTATUS(status);
}

static void answer(int listener, const char *command, int count)
{
	struct seccomp_notif_resp resp = { 0 };
	struct seccomp_notif req = { 0 };
	char path[256];
	int err;

	/* who called may be gone by now */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req))
		return;
	read_path(&req, path, sizeof(path));
	err = step_in(command, name_of(req.data.nr), count, path);
	resp.id = req.id;
	resp.error = -err;
	resp.flags = err ? 0 : SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp);
}

/* The descriptor of the child that asks; it goes on then. */
static int fetch_listener(int pidfd, int child)
{
	int fd, listener;

	if (read(child, &fd, sizeof(fd)) != sizeof(fd))
		die("the program");
	listener = syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	if (listener < 0 || write(child, &fd, sizeof(fd)) != sizeof(fd))
		die("the listener");
	close(child);
	return listener;
}

int main(int argc, char **argv)
{
	int calls[CALLS_MAX], pair[2], n, status, count = 0;
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLIN } };
	pid_t pid;

	if (argc < 4) {
		fputs("usage: before-call CALL[,CALL]... COMMAND PROGRAM [ARG]...\n", stderr);
		return 125;
	}
	n = parse_calls(argv[1], calls);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		die("socketpair");
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		run_program(argv + 3, calls, n, pair[1]);
	}
	close(pair[1]);
	p[1].fd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (p[1].fd < 0)
		die("the program");
	p[0].fd = fetch_listener(p[1].fd, pair[0]);
	while (poll(p, 2, -1) > 0 && !p[1].revents && !(p[0].revents & POLLHUP))
		if (p[0].revents)
			answer(p[0].fd, argv[2], ++count);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
