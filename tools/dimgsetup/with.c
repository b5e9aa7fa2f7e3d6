// SPDX-License-Identifier: GPL-2.0
/*
 * with.c - owns "attach --with": a command runs while the image is attached.
 *
 * The device belongs to the netlink socket, which the command inherits: it is
 * there as long as one of the two lives, and gone when both are dead, however
 * they died. At the usual end it is detached strictly, so that the image has
 * been written out when the tool returns.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dimgsetup.h"

/* As env(1) and the shells tell it. */
#define EXIT_CANNOT_RUN		126
#define EXIT_NO_COMMAND		127
#define EXIT_SIGNAL		128

#define NODE_MARK		"{}"
#define NODE_VARIABLE		"DIMG_DEVICE"

/* @arg with the node in place of each mark; NULL without memory. */
static char *put_node(const char *arg, const char *node)
{
	size_t n = 0;
	const char *at;
	char *s, *to;

	for (at = strstr(arg, NODE_MARK); at; n++)
		at = strstr(at + strlen(NODE_MARK), NODE_MARK);
	s = malloc(strlen(arg) + n * strlen(node) + 1);
	if (!s)
		return NULL;
	for (to = s; (at = strstr(arg, NODE_MARK)); arg = at + strlen(NODE_MARK)) {
		memcpy(to, arg, at - arg);
		to = stpcpy(to + (at - arg), node);
	}
	memcpy(to, arg, strlen(arg) + 1);
	return s;
}

static void free_words(char **words)
{
	char **w;

	for (w = words; w && *w; w++)
		free(*w);
	free(words);
}

/* The command's words with the node put in; NULL without memory. */
static char **make_words(char *const argv[], const char *node)
{
	size_t n = 0, i;
	char **words;

	while (argv[n])
		n++;
	words = calloc(n + 1, sizeof(*words));
	for (i = 0; words && i < n; i++) {
		words[i] = put_node(argv[i], node);
		if (!words[i]) {
			free_words(words);
			return NULL;
		}
	}
	return words;
}

/* The child: from here on only the socket and the node are shared. */
static void exec_command(struct dimg_nl *nl, char **words, const char *node,
			 const sigset_t *mask)
{
	int err;

	sigprocmask(SIG_SETMASK, mask, NULL);
	if (dimg_nl_inherit(nl) || setenv(NODE_VARIABLE, node, 1))
		_exit(EXIT_CANNOT_RUN);
	execvp(words[0], words);
	err = errno;
	dimg_say(words[0], "cannot be run: %s\nCheck the command after \"--\".",
		 strerror(err));
	_exit(err == ENOENT ? EXIT_NO_COMMAND : EXIT_CANNOT_RUN);
}

/*
 * Wait for the command and pass signals on to it. What the terminal sends goes
 * to the command anyway; only what a process sent needs to be passed on.
 */
static int wait_command(pid_t pid, const sigset_t *signals)
{
	siginfo_t info;
	int status;

	for (;;) {
		if (sigwaitinfo(signals, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD) {
			if (info.si_code != SI_KERNEL)
				kill(pid, info.si_signo);
			continue;
		}
		if (waitpid(pid, &status, WNOHANG) == pid)
			break;
	}
	if (WIFSIGNALED(status))
		return EXIT_SIGNAL + WTERMSIG(status);
	return WEXITSTATUS(status);
}

/* Those that came too late for the command shall not end us before the detach. */
static void forget_signals(const sigset_t *signals)
{
	const struct timespec now = { 0 };

	while (sigtimedwait(signals, NULL, &now) > 0)
		;
}

/* Run it; its exit status, 126 if there could be no process at all. */
static int run_command(struct dimg_nl *nl, char **words, const char *node)
{
	sigset_t signals, old;
	int status;
	pid_t pid;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	/* inherited from who ignores it, it would never come */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &signals, &old);
	pid = fork();
	if (!pid)
		exec_command(nl, words, node, &old);
	if (pid > 0) {
		status = wait_command(pid, &signals);
	} else {
		dimg_say(words[0], "cannot be run: %s\nFree memory and try again.",
			 strerror(errno));
		status = EXIT_CANNOT_RUN;
	}
	forget_signals(&signals);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return status;
}

/* The command may have detached it itself. */
static bool is_attached(struct dimg_nl *nl, const struct dimg_device *dev)
{
	struct dimg_devices all;
	struct dimg_error e;
	bool found = false;
	size_t i;

	/* if it cannot be told, the detach will tell */
	if (dimg_nl_dump(nl, &all, &e))
		return true;
	for (i = 0; i < all.n; i++)
		found |= all.v[i].index == dev->index &&
			 all.v[i].diskseq == dev->diskseq;
	dimg_devices_free(&all);
	return found;
}

/* Strict; if it is still in use, say by whom and let the last close do it. */
static int give_back(struct dimg_nl *nl, const struct dimg_device *dev)
{
	int ret;

	if (!is_attached(nl, dev))
		return DIMG_EXIT_OK;
	ret = dimg_detach_device(nl, dev, DIMGBLK_DETACH_STRICT, 0);
	if (ret == DIMG_EXIT_BUSY)
		dimg_detach_device(nl, dev, DIMGBLK_DETACH_LAZY, 0);
	return ret;
}

/**
 * dimg_with - run a command while a device is attached, then detach it
 * @nl: the socket that owns the device (DIMGBLK_FLAG_SOCKET_OWNER)
 * @argv: the command and its arguments, up to NULL
 *
 * Return: the command's exit status, 128 + N if signal N killed it, 126 or 127
 * if it could not be run; or, if the detach failed, the exit code of that.
 */
int dimg_with(struct dimg_nl *nl, const struct dimg_device *dev,
	      char *const argv[])
{
	char node[DIMG_NODE_LEN], **words;
	struct dimg_error e;
	int status, ret;

	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	words = make_words(argv, node);
	if (words) {
		status = run_command(nl, words, node);
	} else {
		dimg_error_set(&e, ENOMEM, "%s", "");
		status = dimg_fail(NULL, &e);
	}
	free_words(words);
	ret = give_back(nl, dev);
	return ret ? ret : status;
}
