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
 * Open the file that is to be replaced. One that may not be written to may be
 * replaced all the same, but not one whose users cannot be found out.
 */
static int open_target(struct dimg_target *t)
{
	static const int flags = O_CLOEXEC | O_NONBLOCK;
	int err;

	t->written = dimg_has_writer(t->path);
	t->img.fd = open(t->path, O_RDWR | flags);
	t->writable = t->img.fd >= 0;
	if (t->writable)
		return 0;
	err = errno;
	if (err == ETXTBSY) {
		dimg_say(t->path, "is in use as swap space or as a running program: %s\n"
			 "\"swapoff FILE\" or end the program first.", strerror(err));
		return DIMG_EXIT_BUSY;
	}
	if (err != EACCES && err != EPERM && err != EROFS)
		return dimg_fail_errno(t->path, -err, "cannot be opened, so nobody knows who uses it");
	t->img.fd = open(t->path, O_RDONLY | flags);
	if (t->img.fd >= 0)
		return 0;
	dimg_say(t->path, "cannot be opened, so nobody knows who uses it; it is kept: %s\n"
		 "Run it as its owner or as root (sudo), or remove the file first.",
		 strerror(errno));
	return DIMG_EXIT_PERMISSION;
}

/* Uses that show on the file itself: swap, programs, QEMU, loop. */
static int check_file(struct dimg_target *t)
{
	int ret = dimg_lock_check_loop(&t->img);

	if (!ret)
		ret = t->writable ? dimg_lock_alone(&t->img) :
			dimg_lock_still(&t->img);
	return !ret && t->written ? dimg_fail_writer(t->img.path) : ret;
}

static int check_replace(const char *path, struct dimg_target *t)
{
	int ret;

	if (!S_ISREG(t->st.st_mode)) {
		dimg_say(path, "is no regular file; it cannot be replaced by an image\nChoose another name.");
		return DIMG_EXIT_REFUSED;
	}
	ret = open_target(t);
	/* what is open is what will be compared when its place is taken */
	if (!ret && fstat(t->img.fd, &t->st))
		ret = dimg_fail_errno(path, -errno, "");
	if (!ret)
		ret = check_dimgblk(path, &t->st);
	return ret ? ret : check_file(t);
}

/**
 * dimg_target_open - find out whether a new image may have a name
 * @force: it may be that of a file which nobody uses
 * @t: filled in; give it to dimg_target_close(), after a failure too
 *
 * The file that is to be replaced stays open and locked, so that nobody begins
 * to use it before it is.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_target_open(const char *path, bool force, struct dimg_target *t)
{
	memset(t, 0, sizeof(*t));
	t->img.fd = -1;
	t->exists = !lstat(path, &t->st);
	if (!t->exists && errno != ENOENT)
		return dimg_fail_errno(path, -errno, "");
	if (t->exists && stat(path, &t->st)) {
		dimg_say(path, "is a symbolic link to a file that is not there\nRemove the link, or give the path it leads to.");
		return DIMG_EXIT_REFUSED;
	}
	if (t->exists && !force)
		return refuse_existing(path, &t->st);
	t->path = t->exists ? realpath(path, NULL) : strdup(path);
	if (!t->path)
		return dimg_fail_errno(path, -errno, "");
	t->img.path = path;
	return t->exists ? check_replace(path, t) : 0;
}

/**
 * dimg_target_recheck - who heeds no lock may have begun to use the file
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_target_recheck(const struct dimg_target *t)
{
	return t->exists ? dimg_lock_check_loop(&t->img) : 0;
}

/* dimg_target_close - the locks go, too. */
void dimg_target_close(struct dimg_target *t)
{
	dimg_image_close(&t->img);
	free(t->path);
	t->path = NULL;
}
