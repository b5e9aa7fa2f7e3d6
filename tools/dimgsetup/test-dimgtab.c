// SPDX-License-Identifier: GPL-2.0
/*
 * test-dimgtab.c - a table is understood as it was meant, or refused with the
 * number of the line (dimgtab.c, tabcheck.c).
 *
 * Broken, a machine would attach other bytes than its administrator wrote down.
 * What attach's options mean is attachment.c's; here a few are made up.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "dimgtab.h"

const char *dimg_command = "apply";
bool dimg_verbose;

void dimg_attach_init(struct dimg_attach *a)
{
	memset(a, 0, sizeof(*a));
	a->img.fd = -1;
}

int dimg_attach_option(struct dimg_attach *a, const char *name,
		       const char *value)
{
	if (!strcmp(name, "ro") && !value)
		a->req.flags |= DIMGBLK_FLAG_READ_ONLY;
	else if (!strcmp(name, "allow-overlap") && !value)
		a->req.flags |= DIMGBLK_FLAG_ALLOW_OVERLAP;
	else if (!strcmp(name, "offset") && value)
		a->req.offset = strtoull(value, NULL, 10);
	else if (!strcmp(name, "sizelimit") && value)
		a->req.size_limit = strtoull(value, NULL, 10);
	else if (!strcmp(name, "part") && value)
		a->part = value;
	else if (!strcmp(name, "index") && value)
		a->req.index = strtoul(value, NULL, 10),
		a->req.given |= UINT64_C(1) << DIMGBLK_A_INDEX;
	else
		return dimg_usage_error("there is no option \"%s\"", name);
	return -1;
}

static char folder[32] = "/tmp/test-dimgtab.XXXXXX";
static char said[4096];
static int saved_err;
static bool by_path;

static int setup(void **state)
{
	(void)state;
	saved_err = dup(STDERR_FILENO);
	return !mkdtemp(folder) || chdir(folder);
}

static int teardown(void **state)
{
	(void)state;
	unlink("tab");
	unlink("said");
	return chdir("/") || rmdir(folder);
}

/* Load @text as a table; what is printed ends up in said. */
static int load(const char *text, size_t len, struct dimg_tab *tab)
{
	int fd = open("tab", O_CREAT | O_TRUNC | O_WRONLY, 0600), ret;
	ssize_t n;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	assert_non_null(freopen("said", "w+", stderr));
	ret = dimg_tab_load("tab", by_path, tab);
	fflush(stderr);
	fd = open("said", O_RDONLY);
	n = read(fd, said, sizeof(said) - 1);
	close(fd);
	said[n > 0 ? n : 0] = '\0';
	assert_true(dup2(saved_err, STDERR_FILENO) >= 0);
	return ret;
}

static void assert_good(const char *text, size_t n, struct dimg_tab *tab)
{
	assert_int_equal(load(text, strlen(text), tab), 0);
	assert_string_equal(said, "");
	assert_int_equal(tab->n_bad, 0);
	assert_int_equal(tab->n, n);
}

/* @text has @n_bad wrong lines, and the message holds @words. */
static void assert_bad(const char *text, size_t n_bad, const char *words)
{
	struct dimg_tab tab;

	assert_int_equal(load(text, strlen(text), &tab), 0);
	assert_int_equal(tab.n_bad, n_bad);
	assert_non_null(strstr(said, words));
	assert_string_equal(dimg_context, "");
	dimg_tab_free(&tab);
}

static void lines_and_comments(void **state)
{
	struct dimg_tab tab;

	(void)state;
	assert_good("", 0, &tab);
	dimg_tab_free(&tab);
	assert_good("# nothing\n\n \t\n  # more\n", 0, &tab);
	dimg_tab_free(&tab);
	assert_good("a /x\n\n\tb\t/y  ro # why\r\nc /z", 3, &tab);
	assert_string_equal(tab.v[0].name, "a");
	assert_string_equal(tab.v[0].attach.path, "/x");
	assert_string_equal(tab.v[0].attach.req.name, "a");
	assert_int_equal(tab.v[1].line, 3);
	assert_int_equal(tab.v[1].attach.req.flags, DIMGBLK_FLAG_READ_ONLY);
	assert_string_equal(tab.v[2].attach.path, "/z");
	dimg_tab_free(&tab);
}

static void escapes(void **state)
{
	struct dimg_tab tab;

	(void)state;
	assert_good("a /my\\040disk\\134\\043 part=x\\054y\\303\\266\n", 1, &tab);
	assert_string_equal(tab.v[0].attach.path, "/my disk\\#");
	assert_string_equal(tab.v[0].attach.part, "x,y\303\266");
	dimg_tab_free(&tab);
	assert_bad("a /b\\n\n", 1, "tab:1: /b\\n: a backslash");
	assert_bad("a /b\\04\n", 1, "a backslash");
	assert_bad("a /b\\000\n", 1, "a backslash");
	assert_bad("a /b\\777\n", 1, "a backslash");
	assert_bad("a /b part=\\", 1, "a backslash");
}

static void when(void **state)
{
	struct dimg_tab tab;

	(void)state;
	assert_good("a /x defaults\nb /y noauto,nofail,_netdev,x-me=1,X-you\n"
		    "c /z x-systemd.requires=a.service,x-systemd.requires-mounts-for=/m\\040n\n",
		    3, &tab);
	assert_false(tab.v[0].noauto || tab.v[0].nofail || tab.v[0].netdev);
	assert_true(tab.v[1].noauto && tab.v[1].nofail && tab.v[1].netdev);
	assert_int_equal(tab.v[2].n_systemd, 4);
	assert_string_equal(tab.v[2].systemd[0], "requires");
	assert_string_equal(tab.v[2].systemd[1], "a.service");
	assert_string_equal(tab.v[2].systemd[3], "/m n");
	dimg_tab_free(&tab);
	assert_bad("a /x x-systemd.require=b.service\n", 1, "no option x-systemd.require");
	assert_bad("a /x x-systemd.after\n", 1, "needs a value");
	assert_bad("a /x x-systemd.after=b\\012Exec\n", 1, "no name of a unit");
	assert_bad("a /x noauto=1\n", 1, "no option \"noauto\"");
	/* what systemd would read otherwise than it is written */
	assert_bad("a /x x-systemd.after=b\\134\n", 1, "ends in a backslash");
	assert_bad("a /x x-systemd.after=b\\001\n", 1, "no name of a unit");
	assert_bad("a /x x-systemd.requires-mounts-for=/m\\134\n", 1, "backslash");
	assert_bad("a /x x-systemd.requires-mounts-for=m\n", 1, "no absolute path");
	assert_bad("a /x x-systemd.requires-mounts-for=/m/..\n", 1, ". or ..");
}

static void wrong_lines(void **state)
{
	struct dimg_tab tab;

	(void)state;
	assert_bad("ok /x\na\n", 1, "tab:2: the image is missing");
	assert_bad("-a /x\n", 1, "tab:1: \"-a\" is no name");
	assert_bad("dimgblk3 /x\n", 1, "is no name");
	assert_bad("a-part1 /x\n", 1, "ends as the link of a partition");
	assert_bad("a x.img\n", 1, "no absolute path");
	assert_bad("a /x/../y\n", 1, ". or ..");
	assert_bad("a /x/.\n", 1, ". or ..");
	assert_bad("a /x\\012y\n", 1, "control character (byte 10)");
	assert_bad("a /x ro rw\n", 1, "\"rw\" is too much");
	assert_bad("a /x ro,,offset=1\n", 1, "an option is empty");
	assert_bad("a /x ro,\n", 1, "an option is empty");
	assert_bad("a /x frob\n", 1, "tab:1: there is no option \"frob\"");
	assert_bad("a /x name=b\n", 1, "first field");
	/* one does not hide the other */
	assert_bad("a\nb\n", 2, "tab:2:");
	assert_int_equal(load("a /x\0b\n", 7, &tab), DIMG_EXIT_USAGE);
	dimg_tab_free(&tab);
	unlink("tab");
	assert_int_equal(dimg_tab_load("/none/tab", false, &tab), DIMG_EXIT_NOT_FOUND);
	dimg_tab_free(&tab);
}

static void contradictions(void **state)
{
	struct dimg_tab tab;
	char text[256];

	(void)state;
	assert_bad("a /x\nb /y\na /z\n", 2, "tab:3: the name \"a\" is taken by line 1");
	assert_bad("a /x index=3\nb /y index=3\n", 2, "same index as line 1");
	assert_bad("a /x\nb /x\n", 2, "line 1 share bytes");
	assert_bad("a /x ro\nb /x\n", 2, "line 1 share bytes");
	assert_bad("a /x offset=0,sizelimit=1024\nb /x offset=512\n", 2, "share bytes");
	assert_bad("a /x allow-overlap\nb /x\n", 2, "share bytes");
	assert_bad("a /x part=1\nb /x part=1\n", 2, "share bytes");
	assert_bad("a /x part=1\nb /x\n", 2, "share bytes");
	/* the same file by another path */
	snprintf(text, sizeof(text), "a %s/tab\nb /proc/self/cwd/tab\n", folder);
	assert_bad(text, 2, "share bytes");
	/* the generator must not touch the images */
	by_path = true;
	assert_good(text, 2, &tab);
	dimg_tab_free(&tab);
	assert_bad("a /x\nb /x\n", 2, "line 1 share bytes");
	by_path = false;
	assert_good("a /... ro\nb /.x/..y\n", 2, &tab);
	dimg_tab_free(&tab);
	assert_good("a /x ro\nb /x ro\nc /y\nd /y allow-overlap\n"
		    "e /z sizelimit=512\nf /z offset=512\n"
		    "g /w part=1\nh /w part=2\ni /v index=0\nj /u\n", 10, &tab);
	dimg_tab_free(&tab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_and_comments),
		cmocka_unit_test(escapes),
		cmocka_unit_test(when),
		cmocka_unit_test(wrong_lines),
		cmocka_unit_test(contradictions),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
