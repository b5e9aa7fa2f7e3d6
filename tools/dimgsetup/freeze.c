// SPDX-License-Identifier: GPL-2.0
/*
 * freeze.c - owns frozen file systems: a frozen one stops all its users, so it
 * is thawed whatever happens to the command that wanted it.
 *
 * A guardian, a process of its own, freezes and thaws. It holds one end of a
 * pipe: if the command says so, or is gone, or has given no sign of life for long,
 * the guardian thaws. Only whoever kills both with SIGKILL at once has to do it
 * by hand: fsfreeze -u.
 */
#include <errno.h>
#include <linux/fs.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dimgsetup.h"

/* No sign of life for so long: something waits for what is frozen. */
#define PATIENCE_MS	60000

#define SAY_ALIVE	'a'
#define SAY_THAW	't'

/**
 * struct verdict - what the guardian reports, after freezing and after thawing
 * @err: errno; ETIMEDOUT if it thawed because there was no sign of life, EINVAL
 *	if somebody else thawed
 * @which: mount that failed
 * @us: for how long it was frozen
 */
struct verdict {
	int err;
	size_t which;
	uint64_t us;
};

/*
 * Thaw the first @n, in reverse order; the first failure is remembered. EINVAL is
 * one: somebody was quicker, so it did not stand still all the time.
 */
static void thaw_all(const struct dimg_uppers *m, size_t n, struct verdict *v)
{
	while (n--) {
		if (m->v[n].fd < 0 || !ioctl(m->v[n].fd, FITHAW, 0) || v->err)
			continue;
		v->err = errno;
		v->which = n;
	}
}

static void freeze_all(const struct dimg_uppers *m, struct verdict *v)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->v[i].fd < 0 || !ioctl(m->v[i].fd, FIFREEZE, 0))
			continue;
		v->err = errno;
		v->which = i;
		thaw_all(m, i, v);
		return;
	}
}

/* Wait until the command wants an end, or cannot want one; 0 or -ETIMEDOUT. */
static int wait_for_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char word;
	int ret;

	for (;;) {
		ret = poll(&pfd, 1, PATIENCE_MS);
		if (!ret)
			return -ETIMEDOUT;
		if (ret > 0 && (read(fd, &word, 1) != 1 || word == SAY_THAW))
			return 0;
	}
}

/* The guardian: nothing but this, then it is gone. */
static void guard(const struct dimg_uppers *m, int fd)
{
	struct verdict v = { 0 };
	uint64_t start_us;

	freeze_all(m, &v);
	start_us = dimg_now_us();
	if (send(fd, &v, sizeof(v), MSG_NOSIGNAL) != sizeof(v) && !v.err) {
		thaw_all(m, m->n, &v);
		_exit(0);
	}
	if (v.err)
		_exit(0);
	v.err = -wait_for_end(fd);
	thaw_all(m, m->n, &v);
	v.us = dimg_now_us() - start_us;
	send(fd, &v, sizeof(v), MSG_NOSIGNAL);
	_exit(0);
}

/* Begin a life of its own, out of reach of Ctrl-C and of a closed terminal. */
static void become_guardian(const struct dimg_uppers *m, int fd)
{
	static const int signals[] = {
		SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGTSTP, SIGTTOU,
		SIGUSR1, SIGUSR2, SIGALRM,
	};
	sigset_t none;
	size_t i;

	for (i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_IGN);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	guard(m, fd);
}

/* Take the next verdict; one that never comes is the guardian's death. */
static void receive(const struct dimg_freezer *f, struct verdict *v)
{
	ssize_t n;

	do {
		n = recv(f->fd, v, sizeof(*v), MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	if (n != sizeof(*v))
		*v = (struct verdict) { .err = ECHILD };
}

/* The guardian was killed: whatever it has frozen by then is ours to thaw. */
static int thaw_orphans(const struct dimg_uppers *m)
{
	struct verdict v = { 0 };

	thaw_all(m, m->n, &v);
	dimg_say(NULL, "the process that kept the file systems frozen was killed\nThey are thawed; try again.");
	return DIMG_EXIT_KERNEL;
}

/* The guardian ends by itself now. */
static void bury(struct dimg_freezer *f)
{
	close(f->fd);
	while (waitpid(f->pid, NULL, 0) < 0 && errno == EINTR)
		;
	f->pid = 0;
}

static int fail_freeze(const struct dimg_upper *m, int err)
{
	struct dimg_error e;

	if (err == EBUSY) {
		dimg_say(m->target, "is frozen already, by somebody who may thaw it at any time\n"
			 "Wait for that, or thaw it: \"fsfreeze -u %s\".", m->target);
		return DIMG_EXIT_BUSY;
	}
	if (err == EOPNOTSUPP || err == ENOTTY) {
		dimg_say(m->target, "cannot be frozen: file systems of type %s have no means to stand still\n"
			 "Unmount it first: \"umount %s\".", m->type, m->target);
		return DIMG_EXIT_REFUSED;
	}
	dimg_error_set(&e, err, "cannot be frozen");
	return dimg_fail(m->target, &e);
}

/**
 * dimg_freeze - freeze file systems
 * @m: with each file system open, see dimg_uppers_open(); may be empty
 * @f: to be given to dimg_thaw() on success
 *
 * Return: 0, or an exit code after the reason has been printed; nothing is
 * frozen then.
 */
int dimg_freeze(const struct dimg_uppers *m, struct dimg_freezer *f)
{
	struct dimg_error e;
	sigset_t all, old;
	struct verdict v;
	int fds[2];

	f->pid = 0;
	f->us = 0;
	if (!m->n)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		dimg_error_set(&e, errno, "cannot make a socket");
		return dimg_fail(NULL, &e);
	}
	/* no handler of ours may run in the child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	f->pid = fork();
	if (!f->pid) {
		close(fds[0]);
		become_guardian(m, fds[1]);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	close(fds[1]);
	f->fd = fds[0];
	if (f->pid < 0) {
		dimg_error_set(&e, errno, "cannot start a process");
		f->pid = 0;
		close(f->fd);
		return dimg_fail(NULL, &e);
	}
	receive(f, &v);
	if (!v.err)
		return 0;
	bury(f);
	if (v.err == ECHILD)
		return thaw_orphans(m);
	return fail_freeze(&m->v[v.which], v.err);
}

/* dimg_freeze_alive - a sign of life, to be given every now and then. */
void dimg_freeze_alive(const struct dimg_freezer *f)
{
	static const char word = SAY_ALIVE;

	/* never waits: a full pipe is a sign of life as well */
	if (f->pid)
		send(f->fd, &word, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/**
 * dimg_thaw - thaw what dimg_freeze() has frozen
 * @f: us is set to how long it was frozen
 *
 * Return: 0 if it stood still until now; else an exit code after the reason has
 * been printed.
 */
int dimg_thaw(const struct dimg_uppers *m, struct dimg_freezer *f)
{
	static const char word = SAY_THAW;
	struct dimg_error e;
	struct verdict v;

	if (!f->pid)
		return 0;
	send(f->fd, &word, 1, MSG_NOSIGNAL);
	receive(f, &v);
	bury(f);
	f->us = v.us;
	if (v.err == ECHILD)
		return thaw_orphans(m);
	if (v.err == EINVAL) {
		dimg_say(m->v[v.which].target,
			 "was thawed by somebody else before the copy was complete; the copy is removed\nTry again.");
		return DIMG_EXIT_BUSY;
	}
	if (v.err == ETIMEDOUT) {
		dimg_say(NULL, "nothing went on for %d s, so the file systems were thawed\n"
			 "Is the storage below the image or the copy hung? Try again.",
			 PATIENCE_MS / 1000);
		return DIMG_EXIT_KERNEL;
	}
	if (!v.err)
		return 0;
	dimg_error_set(&e, v.err, "cannot be thawed; try \"fsfreeze -u\" on it");
	return dimg_fail(m->v[v.which].target, &e);
}
