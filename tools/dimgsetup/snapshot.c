// SPDX-License-Identifier: GPL-2.0
/*
 * snapshot.c - the command "snapshot": a consistent copy of an image, attached or
 * not. What is mounted from it stands still (freeze.c) while the copy is made, by
 * reference if the file system can (reflink), else byte by byte, holes left out.
 *
 * The copy appears under its name when it is complete, or never (newfile.c). All
 * that may fail is tried before the first file system is frozen, and nothing is
 * written to a frozen one, messages included: that would wait for itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "dimgsetup.h"

/* Shared on trial; a multiple of all sizes of blocks. */
#define CLONE_PROBE	(1 << 20)
#define ZFS_MAGIC	0x2fc12fc1

enum { OPT_METHOD = 256, OPT_FORCE, OPT_PROGRESS };
enum method { AUTO, REFLINK, COPY };

static const char * const methods[] = {
	[AUTO] = "auto", [REFLINK] = "reflink", [COPY] = "copy",
};

static const struct option options[] = {
	{ "method", required_argument, NULL, OPT_METHOD },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "progress", required_argument, NULL, OPT_PROGRESS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/**
 * struct job - one run of the command
 * @method: as asked for; then the one in use
 */
struct job {
	enum method method;
	bool force;
	const char *out;
	struct dimg_progress progress;
	struct dimg_subject subject;
	struct dimg_source source;
	struct dimg_target target;
	struct dimg_freezer freezer;
};

static int usage(void)
{
	fputs("Usage: dimgsetup snapshot [OPTION]... DEV|IMAGE|NAME COPY\n"
	      "Make a consistent copy of an image, attached or not. File systems mounted from it\n"
	      "stand still meanwhile. The copy appears when it is complete.\n\n"
	      "      --method=auto|reflink|copy\n"
	      "                 reflink shares the blocks and takes a moment (btrfs, xfs), copy\n"
	      "                 copies data without holes; auto, the default, is the first that\n"
	      "                 works\n"
	      "      --force    replace COPY if it exists and nobody uses it\n"
	      "      --progress=bar|json|none\n"
	      "                 show progress on stderr; a bar by default on a terminal\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* The directory that @path is in; to be freed. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup(".");
	return strndup(path, slash - path + 1);
}

/* Does what we print go, on whatever ways, to a file in the image? */
static bool prints_into(const struct job *j, int fd)
{
	char path[32];

	if (dimg_source_holds(&j->source, fd))
		return true;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return dimg_lies_on(&j->subject.all, path, &j->source.set);
}

/* Nothing of ours may go to what is going to stand still. */
static int check_place(const struct job *j, const char *target)
{
	char *dir;
	bool below;

	if (!j->source.mounts.n)
		return 0;
	dir = directory_of(target);
	below = dir && dimg_lies_on(&j->subject.all, dir, &j->source.set);
	free(dir);
	if (below) {
		dimg_say(j->out, "would lie in the image that is copied, which stands still meanwhile\n"
			 "Choose a place on another file system.");
		return DIMG_EXIT_REFUSED;
	}
	if (prints_into(j, STDOUT_FILENO) || prints_into(j, STDERR_FILENO)) {
		dimg_say(NULL, "the output goes to a file in the image that is copied, which stands still meanwhile\n"
			 "Send it elsewhere.");
		return DIMG_EXIT_REFUSED;
	}
	return 0;
}

/* The copy has gone on: tell the user, and the guardian. */
static void passed(void *arg, uint64_t bytes)
{
	struct job *j = arg;

	dimg_progress_update(&j->progress, bytes);
	dimg_freeze_alive(&j->freezer);
}

/* Errors that mean "not between these two files". */
static bool lacks_reflink(int err)
{
	return err == EOPNOTSUPP || err == EXDEV || err == EINVAL ||
	       err == ENOTTY || err == ETXTBSY;
}

/* Fill the new file; 0 or -errno. */
static int make_copy(struct job *j, int out)
{
	struct dimg_copy_watch watch = { .passed = passed, .arg = j };
	int ret;

	ret = dimg_source_flush(&j->source);
	if (ret)
		return ret;
	if (j->method != COPY && !ioctl(out, FICLONE, j->source.img.fd)) {
		j->method = REFLINK;
		return 0;
	}
	if (j->method == REFLINK || (j->method == AUTO && !lacks_reflink(errno)))
		return -errno;
	j->method = COPY;
	dimg_progress_begin(&j->progress, "copy", j->source.img.size);
	ret = dimg_copy_data_watched(j->source.img.fd, j->source.img.size, out, 0, &watch);
	dimg_progress_end(&j->progress, !ret);
	return ret;
}

static int fail_copy(const struct job *j, int ret)
{
	if (j->method == REFLINK && lacks_reflink(-ret)) {
		dimg_say(j->out, "cannot share the blocks of the image: %s\n"
			 "That needs one file system for both that has reflinks, such as btrfs or xfs; --method=copy works everywhere.",
			 strerror(-ret));
		return DIMG_EXIT_REFUSED;
	}
	return dimg_fail_errno(j->out, ret, "the copy could not be made, nothing of it is left");
}

/* Bytes that a copy would have to write; 0 if the file system does not tell. */
static uint64_t data_of(const struct dimg_image *img)
{
	uint64_t pos = 0, sum = 0;
	off_t data, hole;

	while (pos < img->size) {
		data = lseek(img->fd, pos, SEEK_DATA);
		if (data < 0)
			break;
		hole = lseek(img->fd, data, SEEK_HOLE);
		if (hole <= data || (uint64_t)hole > img->size)
			hole = img->size;
		sum += hole - data;
		pos = hole;
	}
	return sum;
}

/* Does the copy fit? Where data may be compressed, that is not known before. */
static bool fits(const struct job *j, int out)
{
	struct statfs fs;
	struct stat st;
	uint64_t data;

	if (fstatfs(out, &fs) || fs.f_type == BTRFS_SUPER_MAGIC ||
	    fs.f_type == ZFS_MAGIC || fstat(j->source.img.fd, &st) ||
	    !S_ISREG(st.st_mode))
		return true;
	data = data_of(&j->source.img);
	return data <= dimg_room(out, data);
}

/*
 * Meet what can go wrong while nothing stands still yet: the size of the copy,
 * blocks that cannot be shared, a full disk. 0 or -errno.
 */
static int rehearse(struct job *j, int out)
{
	struct file_clone_range some = {
		.src_fd = j->source.img.fd,
		.src_length = j->source.img.size < CLONE_PROBE ? 0 : CLONE_PROBE,
	};
	bool shared = false;

	if (j->method != COPY) {
		shared = !ioctl(out, FICLONERANGE, &some);
		/* EINVAL may be about this range only */
		if (!shared && errno != EINVAL && lacks_reflink(errno)) {
			if (j->method == REFLINK)
				return -errno;
			j->method = COPY;
		}
	}
	if (ftruncate(out, 0) || ftruncate(out, j->source.img.size))
		return -errno;
	return j->method == REFLINK || shared || fits(j, out) ? 0 : -ENOSPC;
}

/* A device knows no holes: find zeros in the copy of it. */
static void dig_copy(struct job *j, int out)
{
	struct dimg_dig d = {
		.fd = out, .map_fd = out, .size = j->source.img.size,
		.progress = &j->progress,
	};
	struct stat st;

	/* what is not written out yet may pass for a hole in the map */
	if (j->method == COPY && !fstat(j->source.img.fd, &st) &&
	    S_ISBLK(st.st_mode) && !fsync(out))
		dimg_dig(&d);
}

/* Freeze, copy, thaw: thaw in any case. */
static int copy_frozen(struct job *j, int out)
{
	int ret, copied, thawed;
	size_t i;

	/* what is written out now need not be while everything waits */
	for (i = 0; i < j->source.mounts.n; i++)
		if (j->source.mounts.v[i].fd >= 0)
			syncfs(j->source.mounts.v[i].fd);
	syncfs(j->source.img.fd);
	ret = rehearse(j, out);
	if (ret)
		return fail_copy(j, ret);
	ret = dimg_freeze(&j->source.mounts, &j->freezer);
	if (ret)
		return ret;
	copied = make_copy(j, out);
	thawed = dimg_thaw(&j->source.mounts, &j->freezer);
	if (thawed)
		return thawed;
	if (copied)
		return fail_copy(j, copied);
	ret = dimg_source_recheck(&j->source, &j->subject);
	if (!ret)
		return 0;
	if (ret != -EBUSY)
		return dimg_fail_errno(j->out, ret, "cannot find out whether a file system was mounted meanwhile; nothing is left of the copy");
	dimg_say(j->out, "meanwhile a file system of the image was mounted, or its device was detached\nTry again.");
	return DIMG_EXIT_BUSY;
}

static void report(const struct job *j, int out)
{
	struct stat st;

	dimg_fputs_escaped(j->out, stdout);
	printf(": %llu bytes, %s", (unsigned long long)j->source.img.size,
	       j->method == REFLINK ? "blocks shared with the image" : "copied");
	if (j->method == COPY && !fstat(out, &st))
		printf(", %llu allocated", st.st_blocks * 512ULL);
	if (j->source.mounts.n)
		printf(", file systems stood still for %llu ms",
		       (unsigned long long)j->freezer.us / 1000);
	putchar('\n');
}

static int make_file(struct job *j)
{
	const struct dimg_target *t = &j->target;
	struct dimg_newfile f;
	int ret = dimg_newfile_open(&f, t->path);

	if (ret)
		return ret;
	/* whoever may not read the image, or the old copy, may not read this */
	ret = dimg_newfile_narrow(&f, j->source.img.fd, j->source.mode, j->source.gid, true);
	if (!ret && t->exists)
		ret = dimg_newfile_narrow(&f, t->img.fd, t->st.st_mode | 0600, t->st.st_gid, false);
	if (!ret)
		ret = copy_frozen(j, f.fd);
	if (!ret) {
		dig_copy(j, f.fd);
		ret = dimg_newfile_publish(&f, t);
	}
	if (!ret)
		report(j, f.fd);
	dimg_newfile_close(&f);
	return ret;
}

static int run(struct job *j, const char *arg)
{
	struct stat st, old;
	int ret;

	ret = dimg_subject_find(arg, &j->subject);
	if (!ret)
		ret = dimg_source_open(&j->subject, &j->source);
	if (ret)
		return ret;
	if (fstat(j->source.img.fd, &st))
		return dimg_fail_errno(arg, -errno, "");
	if (!stat(j->out, &old) && old.st_ino == st.st_ino &&
	    old.st_dev == st.st_dev) {
		dimg_say(j->out, "is the image itself\nChoose another name for the copy.");
		return DIMG_EXIT_REFUSED;
	}
	ret = dimg_target_open(j->out, j->force, &j->target);
	if (!ret)
		ret = check_place(j, j->target.path);
	return ret ? ret : make_file(j);
}

static int parse_method(const char *word, enum method *method)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (!strcmp(word, methods[i])) {
			*method = i;
			return -1;
		}
	}
	return dimg_usage_error("--method takes reflink, copy or auto, not \"%s\"", word);
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct job *j)
{
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		ret = -1;
		switch (opt) {
		case OPT_METHOD:
			ret = parse_method(optarg, &j->method);
			break;
		case OPT_FORCE:
			j->force = true;
			break;
		case OPT_PROGRESS:
			ret = dimg_progress_option(optarg, &j->progress.mode);
			break;
		case 'h':
			return usage();
		default:
			ret = dimg_getopt_common(opt);
		}
		if (ret >= 0)
			return ret;
	}
	if (optind + 2 != argc)
		return dimg_usage_error("give a device, image or name, and the file for the copy");
	return -1;
}

/**
 * dimg_cmd_snapshot - run "dimgsetup snapshot"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_snapshot(int argc, char **argv)
{
	struct job j = { .source.img.fd = -1, .target.img.fd = -1 };
	int ret;

	ret = parse(argc, argv, &j);
	if (ret >= 0)
		return ret;
	j.out = argv[optind + 1];
	ret = run(&j, argv[optind]);
	dimg_target_close(&j.target);
	dimg_source_close(&j.source);
	dimg_subject_free(&j.subject);
	return ret;
}
