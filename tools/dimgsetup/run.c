// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - owns external programs: mkfs, resize2fs and others that know their
 * file system better than this tool ever will.
 *
 * What a program says goes to stderr, at once with --verbose, else only if the
 * program fails; stdout stays free for data. The end of it is remembered for
 * the caller. A missing program is answered with the package that has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dimgsetup.h"

/* sudo and root's own PATH have these; that of a user often has not. */
#define SYSTEM_PATH	"/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"

static const struct package {
	const char *program, *package;
} packages[] = {
	{ "mkfs.ext4", "e2fsprogs" },
	{ "e2fsck", "e2fsprogs" },
	{ "resize2fs", "e2fsprogs" },
	{ "dumpe2fs", "e2fsprogs" },
	{ "mkfs.xfs", "xfsprogs" },
	{ "xfs_growfs", "xfsprogs" },
	{ "xfs_db", "xfsprogs" },
	{ "mkfs.btrfs", "btrfs-progs" },
	{ "btrfs", "btrfs-progs" },
	{ "mkfs.vfat", "dosfstools" },
	{ "cryptsetup", "cryptsetup-bin" },
	{ "gzip", "gzip" },
	{ "zstd", "zstd" },
};

/* PATH of the user, then where programs for disks usually are. */
static void extend_path(void)
{
	const char *path = getenv("PATH");
	char *longer;

	/* an empty one would be the current directory */
	if (path && !*path)
		path = NULL;
	if (asprintf(&longer, "%s%s" SYSTEM_PATH, path ? path : "",
		     path ? ":" : "") < 0)
		return;
	setenv("PATH", longer, 1);
	free(longer);
}

/* After fork(): become the program. The errno of a failed exec goes to @err_fd. */
static void become(char *const argv[], const struct dimg_run *r, pid_t parent,
		   int out_fd, int err_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), err;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (r->survives) {
		/* Ctrl-C reaches the whole process group of the terminal */
		setpgid(0, 0);
	} else {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(127);
	}
	/* what it says is read here and there by programs: no translations */
	setenv("LC_ALL", "C", 1);
	extend_path();
	if (r->fd > STDERR_FILENO)
		fcntl(r->fd, F_SETFD, 0);
	if (dup2(null, STDIN_FILENO) >= 0 && dup2(out_fd, STDOUT_FILENO) >= 0 &&
	    dup2(out_fd, STDERR_FILENO) >= 0)
		execvp(argv[0], argv);
	err = errno;
	if (write(err_fd, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

/* Keep the end of what a program says. */
static void remember(struct dimg_run *r, const char *s, size_t n)
{
	size_t have = strlen(r->said), room = sizeof(r->said) - 1, cut;

	if (n > room) {
		s += n - room;
		n = room;
	}
	cut = have + n > room ? have + n - room : 0;
	memmove(r->said, r->said + cut, have - cut);
	memcpy(r->said + have - cut, s, n);
	r->said[have - cut + n] = '\0';
}

/* Read until the program, and what it started, has closed its output. */
static void listen_to(struct dimg_run *r, int fd)
{
	char buf[1024], *nul;
	ssize_t n;

	for (;;) {
		n = read(fd, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		while ((nul = memchr(buf, '\0', n)))
			*nul = '?';
		remember(r, buf, n);
		if (dimg_verbose)
			fwrite(buf, 1, n, stderr);
	}
}

static int fail_missing(const char *program, int err)
{
	struct dimg_error e;
	size_t i;

	for (i = 0; err == ENOENT && i < sizeof(packages) / sizeof(*packages); i++) {
		if (strcmp(packages[i].program, program))
			continue;
		dimg_say(program, "this program is needed and not installed\n"
			 "On Debian: \"apt install %s\".", packages[i].package);
		return DIMG_EXIT_NOT_FOUND;
	}
	dimg_error_set(&e, err, "this program is needed and cannot be run");
	dimg_fail(program, &e);
	return err == ENOENT ? DIMG_EXIT_NOT_FOUND : DIMG_EXIT_KERNEL;
}

/* Is there an executable of this name along a PATH? */
static bool is_in(const char *path, const char *program)
{
	char file[PATH_MAX];

	while (path && *path) {
		size_t len = strcspn(path, ":");

		snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, program);
		if (!access(file, X_OK))
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

/**
 * dimg_run_check - whether a program is installed, before work begins
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_run_check(const char *program)
{
	if (is_in(getenv("PATH"), program) || is_in(SYSTEM_PATH, program))
		return 0;
	return fail_missing(program, ENOENT);
}

/* Both pipes, or none; 0 or -errno. */
static int make_pipes(int out[2], int err[2])
{
	if (pipe2(out, O_CLOEXEC))
		return -errno;
	if (!pipe2(err, O_CLOEXEC))
		return 0;
	close(out[0]);
	close(out[1]);
	return -errno;
}

static int wait_status(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 127;
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
		WEXITSTATUS(status);
}

/**
 * dimg_run - run a program to its end
 * @argv: its name, looked up in PATH, and arguments; NULL at the end
 * @r: how, and what came of it: status and said are filled in
 *
 * stdin is /dev/null and the language is English. Other descriptors than @r->fd
 * are not inherited if they are close-on-exec, as all of this tool's are. The
 * program is killed when the tool dies, unless it survives (see there).
 *
 * Return: 0 if it ran, whatever its exit status; else an exit code after the
 * reason has been printed.
 */
int dimg_run(char *const argv[], struct dimg_run *r)
{
	pid_t parent = getpid(), pid;
	struct dimg_error e;
	int out[2], err[2], failure = 0, ret;
	size_t i;

	r->said[0] = '\0';
	if (dimg_verbose) {
		fputs("+", stderr);
		for (i = 0; argv[i]; i++) {
			fputc(' ', stderr);
			dimg_fputs_escaped(argv[i], stderr);
		}
		fputc('\n', stderr);
	}
	ret = make_pipes(out, err);
	pid = ret ? -1 : fork();
	if (!pid)
		become(argv, r, parent, out[1], err[1]);
	if (pid < 0) {
		dimg_error_set(&e, ret ? -ret : errno, "cannot start the program");
		if (!ret) {
			close(out[0]);
			close(out[1]);
			close(err[0]);
			close(err[1]);
		}
		return dimg_fail(argv[0], &e);
	}
	close(out[1]);
	close(err[1]);
	listen_to(r, out[0]);
	if (read(err[0], &failure, sizeof(failure)) != sizeof(failure))
		failure = 0;
	close(out[0]);
	close(err[0]);
	r->status = wait_status(pid);
	return failure ? fail_missing(argv[0], failure) : 0;
}

/* The number in this line, if it begins with @key and then blanks, = or :. */
static bool parse_number(const char *line, const char *key, uint64_t *n)
{
	size_t len = strlen(key), gap;
	char *end;

	if (strncmp(line, key, len))
		return false;
	gap = strspn(line + len, " \t=:");
	*n = strtoull(line + len + gap, &end, 10);
	return gap && end > line + len + gap;
}

/**
 * dimg_run_number - the number after a key in what a program said
 * @key: what the line begins with
 *
 * A label or a path in the output may hold anything, line breaks too: of two
 * lines with the key none is believed, nor an output whose beginning is lost.
 *
 * Return: the number; 0 if it is not there.
 */
uint64_t dimg_run_number(const struct dimg_run *r, const char *key)
{
	uint64_t number = 0, n;
	const char *line = r->said;
	bool found = false;

	if (strlen(line) == sizeof(r->said) - 1)
		return 0;
	while (line) {
		if (parse_number(line, key, &n)) {
			if (found)
				return 0;
			found = true;
			number = n;
		}
		line = strchr(line, '\n');
		line += !!line;
	}
	return number;
}

/* dimg_run_put_said - print what a program said to stderr, without controls. */
void dimg_run_put_said(const struct dimg_run *r)
{
	const char *line = r->said;
	int len;

	/* with --verbose it has been seen already */
	while (*line && !dimg_verbose) {
		char *copy;

		/* all the options that there are help nobody here */
		if (!strncmp(line, "Usage:", 6))
			break;
		len = strcspn(line, "\n");
		copy = strndup(line, len);
		if (copy && len) {
			fputs("  ", stderr);
			dimg_fputs_escaped(copy, stderr);
			fputc('\n', stderr);
		}
		free(copy);
		line += len + (line[len] == '\n');
	}
}

/**
 * dimg_run_fail - report that a program failed, in its own words
 * @subject: the image or device it worked on
 * @remedy: what to do, a sentence; NULL if what it said is enough
 *
 * Return: DIMG_EXIT_KERNEL.
 */
int dimg_run_fail(const char *subject, char *const argv[],
		  const struct dimg_run *r, const char *remedy)
{
	if (r->status > 128)
		dimg_say(subject, "%s was ended by signal %d (%s)%s", argv[0],
			 r->status - 128, strsignal(r->status - 128),
			 *r->said ? ":" : "");
	else
		dimg_say(subject, "%s failed with status %d%s", argv[0],
			 r->status, *r->said ? ":" : "");
	dimg_run_put_said(r);
	if (remedy)
		fprintf(stderr, "%s\n", remedy);
	return DIMG_EXIT_KERNEL;
}
