// SPDX-License-Identifier: GPL-2.0
/*
 * Runs a command on a terminal of its own and types answers when they are asked
 * for: programs that ask for a passphrase or a "YES" do so on a terminal only.
 * What the terminal shows goes to stdout, answers that it echoes included.
 *
 * usage: terminal ANSWERS COMMAND [ARG]...
 * ANSWERS: a file, each line "show<tab>PROMPT<tab>ANSWER", or "hide" when the
 * program must have switched the echo off before it is told a secret.
 * Exit: that of the command; 125 if a prompt did not come.
 */
#include <errno.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#define MAX_ANSWERS 32
#define POLL_MS 20
#define PATIENCE_MS 60000
#define FAILED 125

static struct answer {
	bool hidden;
	char *prompt, *text;
} answers[MAX_ANSWERS];

static int n_answers;

/* What was shown since the last answer, as far as a prompt may need it. */
static char shown[4096];
static size_t n_shown;

static int read_answers(const char *path)
{
	FILE *f = fopen(path, "r");
	char *line = NULL;
	size_t len = 0;

	if (!f)
		return -1;
	while (getline(&line, &len, f) > 0 && n_answers < MAX_ANSWERS) {
		struct answer *a = &answers[n_answers];
		char *kind = strtok(line, "\t\n");
		char *prompt = strtok(NULL, "\t\n");
		char *text = strtok(NULL, "\n");

		if (!kind || !prompt)
			break;
		a->hidden = !strcmp(kind, "hide");
		a->prompt = strdup(prompt);
		a->text = strdup(text ? text : "");
		n_answers++;
	}
	free(line);
	fclose(f);
	return 0;
}

static void remember(const char *buf, size_t len)
{
	if (len > sizeof(shown) / 2) {
		buf += len - sizeof(shown) / 2;
		len = sizeof(shown) / 2;
	}
	if (n_shown + len > sizeof(shown)) {
		memmove(shown, shown + sizeof(shown) / 2, n_shown - sizeof(shown) / 2);
		n_shown -= sizeof(shown) / 2;
	}
	memcpy(shown + n_shown, buf, len);
	n_shown += len;
}

/* Does the program wait for this answer? Blanks behind a prompt do not count. */
static bool is_asked(int master, const struct answer *a)
{
	size_t len = n_shown, want = strlen(a->prompt);
	struct termios t;

	while (len && shown[len - 1] == ' ')
		len--;
	if (len < want || memcmp(shown + len - want, a->prompt, want))
		return false;
	/* the switch throws away what was typed ahead, so it must come first */
	return !a->hidden || (!tcgetattr(master, &t) && !(t.c_lflag & ECHO));
}

static void type(int master, const struct answer *a)
{
	dprintf(master, "%s\n", a->text);
	n_shown = 0;
}

/* Until the program has closed the terminal; false if a prompt did not come. */
static bool converse(int master)
{
	struct pollfd p = { .fd = master, .events = POLLIN };
	int done = 0, waited_ms = 0;
	char buf[1024];

	for (;;) {
		ssize_t n = 0;

		if (poll(&p, 1, POLL_MS) > 0) {
			n = read(master, buf, sizeof(buf));
			/* EIO: the last user of the other side is gone */
			if (n <= 0)
				return done == n_answers;
			fwrite(buf, 1, n, stdout);
			remember(buf, n);
		}
		waited_ms = n ? 0 : waited_ms + POLL_MS;
		if (done < n_answers && is_asked(master, &answers[done]))
			type(master, &answers[done++]);
		else if (done < n_answers && waited_ms > PATIENCE_MS)
			return false;
	}
}

int main(int argc, char **argv)
{
	/* wide, so that no program scrolls or breaks its lines */
	const struct winsize size = { .ws_row = 50, .ws_col = 250 };
	int master, status;
	bool complete;
	pid_t pid;

	if (argc < 3 || read_answers(argv[1])) {
		fprintf(stderr, "usage: terminal ANSWERS COMMAND [ARG]...\n");
		return FAILED;
	}
	pid = forkpty(&master, NULL, NULL, &size);
	if (pid < 0) {
		perror("terminal: forkpty");
		return FAILED;
	}
	if (!pid) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "terminal: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	complete = converse(master);
	fflush(stdout);
	if (!complete) {
		printf("\nterminal: not all answers were asked for\n");
		kill(pid, SIGKILL);
	}
	close(master);
	if (waitpid(pid, &status, 0) < 0 || !complete)
		return FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
