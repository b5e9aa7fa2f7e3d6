// SPDX-License-Identifier: GPL-2.0
/*
 * resizefile.c - owns the size of the image file: what is added is a hole, or
 * reserved if all that was there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resize.h"

/* Is all of the file on the disk? Then what is added to it shall be, too. */
static bool is_allocated(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_size &&
	       (uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size;
}

static int fail_file(const struct resize *r, const char *what)
{
	struct dimg_error e;

	dimg_error_set(&e, errno, "%s", what);
	return dimg_fail(r->path, &e);
}

static void warn_overcommit(const struct resize *r)
{
	char needed_text[16], free_text[16];
	uint64_t needed, avail;

	if (!dimg_image_overcommits(r->fd, &needed, &avail))
		return;
	dimg_human_size(needed, needed_text, sizeof(needed_text));
	dimg_human_size(avail, free_text, sizeof(free_text));
	dimg_say(r->path,
		 "warning: the image can grow by %s, but its file system has %s free; writes fail when that is used up",
		 needed_text, free_text);
}

/**
 * resize_file - the step "file"
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_file(const struct resize *r)
{
	bool larger = r->file_new > r->file_old;

	if (r->file_new == r->file_old)
		return 0;
	resize_step_sizes("file", r->file_old, r->file_new);
	if (r->dry_run)
		return 0;
	if (larger && is_allocated(r->fd)) {
		if (!fallocate(r->fd, 0, r->file_old, r->file_new - r->file_old))
			return fsync(r->fd) ? fail_file(r, "the image cannot be written out") : 0;
		if (errno != EOPNOTSUPP) {
			int ret = fail_file(r, "the image cannot be made larger");

			/* part of it may be there */
			if (ftruncate(r->fd, r->file_old))
				dimg_note(r->path, "%s", strerror(errno));
			return ret;
		}
		dimg_say(r->path, "note: all of the image is allocated, but its file system cannot reserve more; what was added is a hole");
	}
	if (ftruncate(r->fd, r->file_new) || fsync(r->fd))
		return fail_file(r, "the size of the image cannot be changed");
	/* with --all it is attached and warned of then */
	if (larger && !r->all)
		warn_overcommit(r);
	return 0;
}
