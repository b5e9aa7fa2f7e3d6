// SPDX-License-Identifier: GPL-2.0
/*
 * target.c - owns the question whether a name is free for a new image, or the
 * file that has it may be replaced: what is in that file, and who uses it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimgsetup.h"

/* "ext4 labelled X", to be freed; NULL if nothing is known of the contents. */
static char *describe(int fd, uint64_t size)
{
	struct dimg_probe p;
	char *text = NULL;
	int n = 0;

	if (dimg_probe(fd, 0, size, &p))
		return NULL;
	if (p.type && p.label)
		n = asprintf(&text, "has %s labelled \"%s\"", p.type, p.label);
	else if (p.type)
		n = asprintf(&text, "has %s", p.type);
	else if (p.pttype)
		n = asprintf(&text, "has a partition table (%s)", p.pttype);
	else if (p.ambivalent)
		n = asprintf(&text, "has signatures of several file systems");
	dimg_probe_free(&p);
	return n < 0 ? NULL : text;
}

/* The file is there and nobody said --force. */
static int refuse_existing(const char *path, const struct stat *st)
{
	int fd = S_ISREG(st->st_mode) ?
		open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	char *contents = fd >= 0 ? describe(fd, st->st_size) : NULL;
	char size[8], *subject = NULL;

	dimg_human_size(st->st_size, size, sizeof(size));
	/* as part of the subject: a label may hold terminal controls */
	if (contents && asprintf(&subject, "%s: exists, and %s", path, contents) < 0)
		subject = NULL;
	dimg_say(subject ? subject : path, "%s (%s)\n"
		 "Choose another name, or say --force to replace it.",
		 subject ? "it is kept" : "exists; it is kept", size);
	free(subject);
	free(contents);
	if (fd >= 0)
		close(fd);
	return DIMG_EXIT_REFUSED;
}

/* One of our devices on the file; the module is not loaded for the question. */
static int check_dimgblk(const char *path, const struct stat *st)
{
	struct dimg_devices all;
	struct dimg_nl *nl;
	struct dimg_error e;
	int ret = 0;
	size_t i;

	if (dimg_nl_open(&nl, &e))
		return 0;
	if (dimg_nl_dump(nl, &all, &e)) {
		ret = dimg_fail(NULL, &e);
		dimg_nl_close(nl);
		return ret;
	}
	for (i = 0; !ret && i < all.n; i++) {
		if (!dimg_device_is_on(&all.v[i], path, st))
			continue;
		dimg_say(path, "is attached to /dev/" DIMG_NODE_PREFIX "%u\n"
			 "Detach it first: \"dimgsetup detach %s%u\".",
			 all.v[i].index, DIMG_NODE_PREFIX, all.v[i].index);
		ret = DIMG_EXIT_BUSY;
	}
	dimg_devices_free(&all);
	dimg_nl_close(nl);
	return ret;
}

/*
 * Uses that show on the file itself: swap, programs, QEMU, loop. The locks that
 * are taken for the question go with the descriptor.
 */
static int check_file(const char *path)
{
	struct dimg_image img = {
		.fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK), .path = path,
	};
	int ret;

	if (img.fd < 0 && errno == ETXTBSY) {
		dimg_say(path, "is in use as swap space or as a running program: %s\n"
			 "\"swapoff FILE\" or end the program first.", strerror(errno));
		return DIMG_EXIT_BUSY;
	}
	/* a file that may not be written may be replaced all the same */
	if (img.fd < 0)
		return 0;
	ret = dimg_lock_check_loop(&img);
	if (!ret)
		ret = dimg_lock_alone(&img);
	close(img.fd);
	return ret;
}

static int check_replace(const char *path, const struct stat *st)
{
	int ret;

	if (!S_ISREG(st->st_mode)) {
		dimg_say(path, "is no regular file; it cannot be replaced by an image\nChoose another name.");
		return DIMG_EXIT_REFUSED;
	}
	ret = check_dimgblk(path, st);
	return ret ? ret : check_file(path);
}

/**
 * dimg_target_check - whether a new image may have a name
 * @force: it may be that of a file which nobody uses
 * @target: set to the path to make it at, links followed; to be freed
 * @exists: set to whether a file is there now
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_target_check(const char *path, bool force, char **target, bool *exists)
{
	struct dimg_error e;
	struct stat st;
	int ret = 0;

	*target = NULL;
	*exists = !lstat(path, &st);
	if (!*exists && errno != ENOENT) {
		dimg_error_set(&e, errno, "%s", "");
		return dimg_fail(path, &e);
	}
	if (*exists && stat(path, &st)) {
		dimg_say(path, "is a symbolic link to a file that is not there\nRemove the link, or give the path it leads to.");
		return DIMG_EXIT_REFUSED;
	}
	if (*exists && !force)
		return refuse_existing(path, &st);
	if (*exists)
		ret = check_replace(path, &st);
	if (ret)
		return ret;
	*target = *exists ? realpath(path, NULL) : strdup(path);
	if (*target)
		return 0;
	dimg_error_set(&e, errno, "%s", "");
	return dimg_fail(path, &e);
}
