// SPDX-License-Identifier: GPL-2.0
/*
 * mounting.c - owns the way from an image to a mounted file system, for the
 * command mount and for mount.dimg.
 *
 * An image that is not attached gets a device that belongs to this process
 * (SOCKET_OWNER) until the mount has it, and then to the mount (AUTO_DETACH):
 * killed anywhere, no device is left without its mount. An image that is
 * attached is mounted from where it is (standing.c). Everything that can be
 * refused is refused before the attach.
 */
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimgsetup.h"

/* Bits of DIMGBLK_FLAG_* that tie a device to us, then to its mount. */
#define MOUNT_FLAGS	(DIMGBLK_FLAG_SOCKET_OWNER | DIMGBLK_FLAG_AUTO_DETACH)

/* Say why nothing can be mounted on this directory. */
static int check_dir(const struct dimg_mount *m)
{
	struct dimg_error e;
	struct stat st;

	/* in another namespace, or made by libmount, it cannot be looked at yet */
	if (m->ns || m->opts.mkdir)
		return 0;
	if (stat(m->dir, &st)) {
		dimg_error_set(&e, errno, "%s", "");
		if (errno != ENOENT)
			return dimg_fail(m->dir, &e);
		dimg_say(m->dir, "there is no such directory: %s\n"
			 "Make it: \"mkdir -p DIR\".", strerror(ENOENT));
		return DIMG_EXIT_NOT_FOUND;
	}
	if (S_ISDIR(st.st_mode))
		return 0;
	dimg_say(m->dir, "is no directory: %s\n"
		 "Give a directory to mount on; the image comes first, then the directory.",
		 strerror(ENOTDIR));
	return DIMG_EXIT_NOT_FOUND;
}

/* The kernel's answer, with what helps against it. */
static int fail_mount(struct dimg_mount *m, struct libmnt_context *cxt, int rc,
		      const struct dimg_mount_source *src)
{
	char text[1024] = "", *end;
	int err, code;

	code = mnt_context_get_excode(cxt, rc, text, sizeof(text));
	err = mnt_context_syscall_called(cxt) ?
		mnt_context_get_syscall_errno(cxt) : rc < 0 ? -rc : 0;
	/* a helper such as mount.ntfs has said what it has to say */
	if (mnt_context_helper_executed(cxt) && code)
		snprintf(text, sizeof(text), "mount.%s failed with status %d",
			 mnt_context_get_fstype(cxt), code);
	for (end = text + strlen(text); end > text && end[-1] == '\n'; end--)
		end[-1] = '\0';
	m->helper_code = code;
	return dimg_unmountable_kernel(m, src, err, text);
}

/* A context that mounts @src and asks nobody but us; NULL without memory. */
static struct libmnt_context *new_context(const struct dimg_mount *m,
					  const struct dimg_mount_source *src)
{
	struct libmnt_context *cxt = mnt_new_context();
	int ret;

	if (!cxt)
		return NULL;
	ret = mnt_context_set_source(cxt, src->node) ?:
		mnt_context_set_target(cxt, m->dir) ?:
		mnt_context_set_fstype(cxt, src->type);
	if (!ret && m->opts.rest)
		ret = mnt_context_set_options(cxt, m->opts.rest);
	if (!ret && src->read_only)
		ret = mnt_context_append_options(cxt, "ro");
	if (!ret && m->ns)
		ret = mnt_context_set_target_ns(cxt, m->ns);
	/* all is known: the line of fstab has been read, or does not count */
	if (!ret)
		ret = mnt_context_set_optsmode(cxt, MNT_OMODE_NOTAB);
	if (!ret) {
		mnt_context_disable_mtab(cxt, m->no_mtab);
		mnt_context_enable_sloppy(cxt, m->opts.sloppy);
		return cxt;
	}
	mnt_free_context(cxt);
	return NULL;
}

/* What libmount changed of what was asked for. */
static void tell_changes(const struct dimg_mount *m,
			 struct libmnt_context *cxt,
			 const struct dimg_mount_source *src)
{
	if (mnt_context_forced_rdonly(cxt) && !src->read_only)
		dimg_say(m->source,
			 "is mounted read-only: that is all that %s can do here",
			 src->type);
	dimg_note(m->source, "%s is mounted on %s (%s)", src->node, m->dir,
		  src->type);
}

/* The mount itself. */
static int mount_source(struct dimg_mount *m,
			const struct dimg_mount_source *src)
{
	struct libmnt_context *cxt = new_context(m, src);
	struct dimg_error e;
	int ret, rc;

	if (!cxt) {
		dimg_error_set(&e, ENOMEM, "%s", "");
		return dimg_fail(m->source, &e);
	}
	dimg_mount_committed = true;
	rc = mnt_context_mount(cxt);
	ret = 0;
	if (rc || mnt_context_get_status(cxt) != 1) {
		dimg_mount_committed = false;
		ret = fail_mount(m, cxt, rc, src);
	} else {
		tell_changes(m, cxt, src);
	}
	mnt_free_context(cxt);
	return ret;
}

/*
 * What is mounted is chosen before there is a device, from the bytes of the
 * image: an image that cannot be mounted is not attached.
 */
static int choose_type(struct dimg_mount *m, struct dimg_mount_source *src)
{
	struct dimg_error e;
	int ret;

	ret = dimg_probe(src->fd, src->offset, src->size, &src->found);
	if (ret && !m->type) {
		dimg_error_set(&e, -ret, "cannot be read");
		return dimg_fail(m->source, &e);
	}
	src->type = m->type ? m->type : src->found.type;
	/* the kernel would say "wrong fs type" */
	if (!m->type && src->found.damaged)
		return dimg_unmountable_damaged(m, src);
	if (m->type || (src->found.usage &&
			!strcmp(src->found.usage, "filesystem")))
		return 0;
	return dimg_unmountable_contents(m, src);
}

/*
 * Attach and mount. The node is held open meanwhile, so that an attempt that
 * fails does not count as the last close.
 */
static int mount_fresh(struct dimg_nl *nl, struct dimg_mount *m,
		       struct dimg_mount_source *src)
{
	struct dimg_device dev;
	struct dimg_error e;
	int fd, ret;

	m->attach.req.flags |= MOUNT_FLAGS;
	ret = dimg_attach_run(nl, &m->attach, &dev);
	if (ret)
		return ret;
	snprintf(src->node, sizeof(src->node), "/dev/" DIMG_NODE_PREFIX "%u",
		 dev.index);
	src->major = dev.major;
	src->minor = dev.minor;
	src->block_size = dev.logical_block_size;
	dimg_device_free(&dev);
	fd = open(src->node, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		dimg_error_set(&e, errno, "the node cannot be opened");
		ret = dimg_fail(src->node, &e);
	} else {
		ret = mount_source(m, src);
		close(fd);
	}
	return ret;
}

/* An image that no device has. */
static int mount_image(struct dimg_nl **nl, struct dimg_mount *m)
{
	struct dimg_mount_source src = { .read_only = m->opts.read_only };
	struct dimg_attach *a = &m->attach;
	int ret;

	ret = dimg_attach_open(a);
	if (!ret) {
		src.fd = a->img.fd;
		src.offset = a->req.offset;
		src.size = a->req.size_limit;
		/* beyond the end is for the kernel to refuse, in its words */
		if (src.offset >= a->img.size)
			src.type = "none";
		else
			ret = choose_type(m, &src);
	}
	if (!ret && m->fake) {
		dimg_note(m->source, "would be mounted on %s (%s)", m->dir, src.type);
	} else if (!ret) {
		if (!*nl)
			ret = dimg_connect(nl);
		if (!ret)
			ret = mount_fresh(*nl, m, &src);
	}
	dimg_probe_free(&src.found);
	dimg_attach_close(a);
	return ret;
}

/* A device that is there already; it is neither changed nor taken along. */
static int mount_standing(struct dimg_mount *m, struct dimg_mount_source *src)
{
	int ret = choose_type(m, src);

	if (!ret && m->fake)
		dimg_note(m->source, "%s would be mounted on %s (%s)",
			  src->node, m->dir, src->type);
	else if (!ret)
		ret = mount_source(m, src);
	dimg_probe_free(&src->found);
	return ret;
}

/**
 * dimg_mount_run - mount an image, attaching it if it is not
 * @m: source, directory and options; dimg_attach_init() was called for it
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_mount_run(struct dimg_mount *m)
{
	struct dimg_mount_source src = { .fd = -1 };
	struct dimg_nl *nl = NULL;
	struct dimg_error e;
	int ret, lock;

	ret = check_dir(m);
	if (ret)
		return ret;
	m->attach.path = m->source;
	if (m->opts.read_only)
		m->attach.req.flags |= DIMGBLK_FLAG_READ_ONLY;
	else
		m->opts.read_only = m->attach.req.flags &
			DIMGBLK_FLAG_READ_ONLY;
	/* without a driver nothing is attached, and none is loaded to ask it */
	ret = dimg_nl_open(&nl, &e);
	if (ret && ret != -ENOENT)
		return dimg_fail(NULL, &e);
	lock = dimg_standing_lock(m->source);
	ret = nl ? dimg_standing_find(nl, m, &src) : -1;
	if (!ret)
		ret = mount_standing(m, &src);
	else if (ret < 0)
		ret = mount_image(&nl, m);
	dimg_standing_close(&src);
	if (lock >= 0)
		close(lock);
	/* from here on the device belongs to its mount */
	dimg_nl_close(nl);
	return ret;
}
