// SPDX-License-Identifier: GPL-2.0
/*
 * test-resolve.c - an argument means the device that the user thinks of, or is
 * refused (resolve.c).
 *
 * Broken, detach would remove somebody else's device. The list of attached
 * devices is made up; the files are real ones in a temporary folder.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "dimgsetup.h"

const char *dimg_command = "show";
bool dimg_verbose;

/* resolve.c asks the kernel only in dimg_resolve_one(), not tested here. */
int dimg_nl_dump(struct dimg_nl *nl, struct dimg_devices *devs,
		 struct dimg_error *e)
{
	(void)nl;
	(void)devs;
	dimg_error_set(e, EIO, "%s", "");
	return -EIO;
}

static char folder[32] = "/tmp/test-resolve.XXXXXX";
static int saved_err;

static void make_file(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static int setup(void **state)
{
	(void)state;
	saved_err = dup(STDERR_FILENO);
	if (!mkdtemp(folder) || chdir(folder))
		return -1;
	make_file("a.img");
	make_file("twice.img");
	make_file("free.img");
	make_file("both");
	return symlink("a.img", "link.img");
}

static int teardown(void **state)
{
	(void)state;
	unlink("a.img");
	unlink("twice.img");
	unlink("free.img");
	unlink("both");
	unlink("link.img");
	return chdir("/") || rmdir(folder);
}

/* Messages are read by people; here only the codes count. */
static int mute(void **state)
{
	(void)state;
	return !freopen("/dev/null", "w", stderr);
}

static int unmute(void **state)
{
	(void)state;
	fflush(stderr);
	return dup2(saved_err, STDERR_FILENO) < 0;
}

/* Append a device; its image is what stat() says about the file @image. */
static void add(struct dimg_devices *all, uint32_t index, const char *name,
		const char *image)
{
	struct dimg_device dev = {
		.known = UINT64_MAX, .index = index, .major = 259,
		.minor = 1000 + index, .name = name ? strdup(name) : NULL,
	};
	struct stat st;

	if (!stat(image, &st)) {
		dev.backing_inode = st.st_ino;
		dev.backing_major = major(st.st_dev);
		dev.backing_minor = minor(st.st_dev);
	}
	assert_true(asprintf(&dev.backing_path, "%s/%s", folder, image) > 0);
	assert_int_equal(dimg_devices_add(all, &dev), 0);
}

/* The made-up world of all tests below. */
static void fill(struct dimg_devices *all)
{
	add(all, 0, "root", "a.img");
	add(all, 4, "both", "twice.img");
	add(all, 7, NULL, "twice.img");
	add(all, 8, NULL, "both");
	add(all, 9, NULL, "gone.img (deleted)");
}

/* Resolve @arg: the code, the number of devices and the first index. */
static void assert_resolves(const char *arg, int code, size_t n, uint32_t first)
{
	struct dimg_devices all = { 0 }, found = { 0 };

	fill(&all);
	assert_int_equal(dimg_resolve(&all, arg, &found), code);
	assert_int_equal(found.n, n);
	if (n)
		assert_int_equal(found.v[0].index, first);
	dimg_devices_free(&found);
	dimg_devices_free(&all);
}

static void nodes(void **state)
{
	(void)state;
	assert_resolves("/dev/dimgblk4", 0, 1, 4);
	assert_resolves("dimgblk0", 0, 1, 0);
	assert_resolves("/dev/dimgblk1", DIMG_EXIT_NOT_FOUND, 0, 0);
	assert_resolves("dimgblk0p1", DIMG_EXIT_NOT_FOUND, 0, 0);
	assert_resolves("dimgblk99999999999", DIMG_EXIT_NOT_FOUND, 0, 0);
	assert_resolves("/dev/null", DIMG_EXIT_NOT_FOUND, 0, 0);
}

static void images(void **state)
{
	(void)state;
	assert_resolves("a.img", 0, 1, 0);
	assert_resolves("./a.img", 0, 1, 0);
	assert_resolves("link.img", 0, 1, 0);
	assert_resolves("twice.img", 0, 2, 4);
	assert_resolves("free.img", DIMG_EXIT_NOT_FOUND, 0, 0);
	assert_resolves("nothing.img", DIMG_EXIT_NOT_FOUND, 0, 0);
	assert_resolves("", DIMG_EXIT_NOT_FOUND, 0, 0);
}

static void deleted_images_keep_their_path(void **state)
{
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/gone.img", folder);
	assert_resolves("gone.img", 0, 1, 9);
	assert_resolves(path, 0, 1, 9);
}

static void names(void **state)
{
	(void)state;
	assert_resolves("root", 0, 1, 0);
	assert_resolves("Root", DIMG_EXIT_NOT_FOUND, 0, 0);
	assert_resolves("./root", DIMG_EXIT_NOT_FOUND, 0, 0);
	/* a name of one device and an image of another */
	assert_resolves("both", DIMG_EXIT_REFUSED, 0, 0);
	assert_resolves("./both", 0, 1, 8);
}

static void a_device_is_found_once(void **state)
{
	struct dimg_devices all = { 0 }, found = { 0 };

	(void)state;
	fill(&all);
	assert_int_equal(dimg_resolve(&all, "a.img", &found), 0);
	assert_int_equal(dimg_resolve(&all, "root", &found), 0);
	assert_int_equal(dimg_resolve(&all, "dimgblk0", &found), 0);
	assert_int_equal(found.n, 1);
	dimg_devices_free(&found);
	dimg_devices_free(&all);
}

static void paths_are_roots_only(void **state)
{
	struct dimg_devices all = { 0 }, found = { 0 };
	size_t i;

	(void)state;
	fill(&all);
	for (i = 0; i < all.n; i++) {
		free(all.v[i].backing_path);
		all.v[i].backing_path = NULL;
		all.v[i].known = 1 << DIMGBLK_A_INDEX;
	}
	assert_int_equal(dimg_resolve(&all, "./a.img", &found),
			 DIMG_EXIT_PERMISSION);
	assert_int_equal(dimg_resolve(&all, "root", &found), 0);
	dimg_devices_free(&found);
	dimg_devices_free(&all);
}

#define QUIET(test)	cmocka_unit_test_setup_teardown(test, mute, unmute)

int main(void)
{
	const struct CMUnitTest tests[] = {
		QUIET(nodes),
		QUIET(images),
		QUIET(deleted_images_keep_their_path),
		QUIET(names),
		QUIET(a_device_is_found_once),
		QUIET(paths_are_roots_only),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
