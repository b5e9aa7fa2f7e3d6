// SPDX-License-Identifier: GPL-2.0
/*
 * compact.c - the command "compact": gives back to the host what an image has
 * allocated and does not use.
 *
 * Who knows what is unused is asked: mounted file systems are trimmed. Where
 * nothing is mounted, holes are dug in zeros (dig.c), with the image or device
 * held so that nobody writes meanwhile. What can be read stays the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "dimgsetup.h"

/* How long openers that are in no list are waited for: udev's are gone soon. */
#define HIDDEN_LIMIT_US	(5 * 1000000ULL)
#define HIDDEN_POLL_NS	50000000L

/* Bytes of a file system that are trimmed at once, so that there is progress. */
#define TRIM_STEP	(UINT64_C(1) << 30)
#define OPT_PROGRESS	256

static const struct option options[] = {
	{ "dry-run", no_argument, NULL, 'n' },
	{ "progress", required_argument, NULL, OPT_PROGRESS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/**
 * struct job - one run of the command
 * @nl: NULL if the module is not loaded
 * @zeros: bytes of data that were zeros
 * @n_done: parts that were treated
 * @n_busy: parts that somebody uses
 */
struct job {
	struct dimg_nl *nl;
	bool dry_run;
	struct dimg_progress progress;
	uint64_t zeros;
	size_t n_done;
	size_t n_busy;
};

static int usage(void)
{
	fputs("Usage: dimgsetup compact [OPTION]... DEV|IMAGE|NAME\n"
	      "Give space back that the image has allocated and does not use: trim the file\n"
	      "systems that are mounted from it, dig holes in zeros elsewhere. What can be read\n"
	      "stays the same, whenever this is interrupted.\n\n"
	      "  -n, --dry-run  only tell what would be done\n"
	      "      --progress=bar|json|none\n"
	      "                 show progress on stderr; a bar by default on a terminal\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  print the version\n", stdout);
	return DIMG_EXIT_OK;
}

/* The result, for people and programs alike. */
static void report(const struct job *j, const char *subject, uint64_t before,
		   uint64_t after)
{
	char human[16];

	dimg_fputs_escaped(subject, stdout);
	if (j->dry_run) {
		printf(": %llu bytes allocated, %llu of them found to be zeros\n",
		       (unsigned long long)before, (unsigned long long)j->zeros);
		return;
	}
	/* others may write to the same disk */
	dimg_human_size(before > after ? before - after : 0, human, sizeof(human));
	printf(": %llu -> %llu bytes allocated, %s given back\n",
	       (unsigned long long)before, (unsigned long long)after, human);
}

/* Trim a file system, in steps if its addresses are those of its size. */
static int trim(struct job *j, const struct dimg_upper *m)
{
	struct fstrim_range range = { 0 };
	struct statfs fs;
	uint64_t size;
	bool steps;

	/* what was removed a moment ago is free after the next commit only */
	if (syncfs(m->fd) || fstatfs(m->fd, &fs))
		return -errno;
	size = (uint64_t)fs.f_blocks * fs.f_bsize;
	steps = !strncmp(m->type, "ext", 3) || !strcmp(m->type, "xfs");
	dimg_progress_begin(&j->progress, "trim", size);
	do {
		range.len = steps && size - range.start > TRIM_STEP ?
			TRIM_STEP : UINT64_MAX - range.start;
		if (ioctl(m->fd, FITRIM, &range)) {
			dimg_progress_end(&j->progress, false);
			return -errno;
		}
		range.start += TRIM_STEP;
		dimg_progress_update(&j->progress, range.start);
	} while (steps && range.start < size);
	dimg_progress_end(&j->progress, true);
	return 0;
}

/* A file system that is mounted: it knows best what it does not need. */
static int compact_mount(struct job *j, const struct dimg_upper *m)
{
	int ret;

	if (j->dry_run) {
		dimg_say(m->target, "would be trimmed");
		j->n_done++;
		return 0;
	}
	dimg_note(m->target, "trimming this file system");
	ret = trim(j, m);
	if (!ret)
		j->n_done++;
	if (ret == -EOPNOTSUPP || ret == -EROFS || ret == -ENOTTY) {
		dimg_say(m->target, "was left as it is: %s",
			 ret == -EROFS ? "it is mounted read-only" :
			 "the file system, or a layer below it, passes no discards on");
		return 0;
	}
	return ret ? dimg_fail_errno(m->target, ret, "cannot be trimmed") : 0;
}

/* What a file system has deleted is no zeros: only the kernel's driver knows it. */
static void hint(const char *subject, const struct dimg_dig *d)
{
	struct dimg_probe p;

	if (dimg_probe(d->fd, 0, d->size, &p))
		return;
	if (p.pttype || (p.usage && !strcmp(p.usage, "filesystem")))
		dimg_say(subject, "what is deleted in its file system (%s) is not zero as a rule, and stays\n"
			 "Mount it and repeat this to give that back, too.",
			 p.pttype ? "in partitions" : p.type);
	dimg_probe_free(&p);
}

/* Dig in an open file or device. */
static int dig(struct job *j, const char *subject, struct dimg_dig *d)
{
	int ret;

	d->dry_run = j->dry_run;
	d->progress = &j->progress;
	dimg_progress_begin(&j->progress, "dig", d->size);
	ret = dimg_dig(d);
	if (!ret && !j->dry_run && fsync(d->fd))
		ret = -errno;
	dimg_progress_end(&j->progress, !ret);
	j->zeros += d->zeros;
	j->n_done++;
	if (ret == -EBUSY) {
		dimg_say(subject, "is being opened by another program; what was given back so far stays so\nTry again when nobody uses it.");
		return DIMG_EXIT_BUSY;
	}
	if (ret == -EOPNOTSUPP) {
		dimg_say(subject, "cannot get holes: the file system that the image is on has none\n"
			 "Copy the image to one that has, such as ext4, xfs, btrfs or tmpfs.");
		return DIMG_EXIT_REFUSED;
	}
	if (ret)
		return dimg_fail_errno(subject, ret, "cannot be searched for zeros");
	hint(subject, d);
	return 0;
}

/* How often disk and partitions are open now; 0 or -errno. */
static int count_openers(struct dimg_nl *nl, const struct dimg_device *dev,
			 uint32_t *openers)
{
	struct dimg_devices all;
	struct dimg_error e;
	int ret = -ENODEV;
	size_t i;

	if (dimg_nl_dump(nl, &all, &e))
		return -e.err;
	for (i = 0; i < all.n; i++) {
		if (all.v[i].index != dev->index || all.v[i].diskseq != dev->diskseq)
			continue;
		*openers = all.v[i].open_count;
		ret = 0;
	}
	dimg_devices_free(&all);
	return ret;
}

/*
 * One look for openers that are in no list. The kernel tells one number for the disk
 * and its partitions. 6.1 counts a partition once, however often it is open: there our
 * own open does not show if another one has it already. 0 or -errno.
 */
static int look_hidden(struct job *j, const struct dimg_device *dev,
		       const char *node, bool last, bool *hidden)
{
	int fd, ret, count_ret;
	uint32_t before, after;
	struct dimg_holders h;
	size_t seen;

	*hidden = false;
	ret = count_openers(j->nl, dev, &before);
	if (ret)
		return ret;
	/* a look: it neither claims the device nor lets udev look at it anew */
	fd = dimg_device_open(node, O_RDONLY, dev->diskseq);
	if (fd < 0)
		return fd;
	count_ret = count_openers(j->nl, dev, &after);
	ret = dimg_holders_find(dev->major, dev->minor, &h);
	if (!ret)
		ret = count_ret;
	/* one of udev's may have come after the count, and stand for another there */
	seen = h.n_opens + 1;
	if (!last)
		seen -= h.n_udev < seen ? h.n_udev : seen;
	if (!ret)
		*hidden = after <= before || after > seen;
	dimg_holders_free(&h);
	close(fd);
	return ret;
}

/*
 * Does somebody have the disk open who is in no list: a target of nvmet or LIO, or a
 * file that was passed on? On 6.1, two who have opened one partition may hide one.
 */
static int find_hidden(struct job *j, const struct dimg_device *dev,
		       const char *node, bool *hidden)
{
	const struct timespec pause = { .tv_nsec = HIDDEN_POLL_NS };
	uint64_t start_us = dimg_now_us();
	bool last = false;
	int ret;

	for (;;) {
		ret = look_hidden(j, dev, node, last, hidden);
		if (ret || !*hidden || last)
			return ret;
		nanosleep(&pause, NULL);
		last = dimg_now_us() - start_us > HIDDEN_LIMIT_US;
	}
}

/* Nobody may write while holes are dug; 0, or the exit code, or -1 if it is in use. */
static int check_hidden(struct job *j, const struct dimg_device *dev, const char *node)
{
	struct dimg_holders h = { 0 };
	struct dimg_error e;
	bool hidden;
	int ret;

	ret = find_hidden(j, dev, node, &hidden);
	if (ret)
		return dimg_fail_errno(node, ret, "cannot find out who uses it");
	if (!hidden)
		return 0;
	dimg_holders_add(&h, "somebody who is in no list has the disk or a partition of it open: an NVMe or SCSI target of this kernel (nvmet, LIO), for example");
	dimg_error_set(&e, EBUSY, "in use; it was left as it is");
	dimg_fail_busy(node, &e, &h);
	dimg_holders_free(&h);
	return -1;
}

/* A disk or partition that is not mounted. */
static int compact_node(struct job *j, const struct dimg_device *dev,
			const struct dimg_devset_member *part, int map_fd,
			uint64_t map_offset)
{
	struct dimg_dig d = { .map_fd = map_fd, .map_offset = map_offset };
	struct dimg_holders h = { 0 };
	char node[DIMG_NODE_LEN + 8];
	struct dimg_error e;
	int ret, seen;

	snprintf(node, sizeof(node), "/dev/%s", part->node);
	ret = check_hidden(j, dev, node);
	if (ret) {
		j->n_busy += ret < 0;
		return ret < 0 ? 0 : ret;
	}
	/*
	 * The claim keeps mounts away, but nobody who just writes: look for these.
	 * Who only looks claims nothing: that would arm --auto-detach.
	 */
	seen = dimg_device_open(node, O_RDONLY, dev->diskseq);
	d.fd = seen;
	/*
	 * The claim of another device that has got the number would detach it, if it is such.
	 * While this one is open, none gets it.
	 */
	if (seen >= 0 && !j->dry_run)
		d.fd = dimg_device_open(node, O_RDWR | O_EXCL, dev->diskseq);
	ret = dimg_holders_find(major(part->dev), minor(part->dev), &h);
	/* udev only looks; this process is not among them */
	if (ret || h.n > h.n_udev || d.fd == -EBUSY) {
		j->n_busy++;
		dimg_error_set(&e, EBUSY, "in use; it was left as it is");
		dimg_fail_busy(node, &e, &h);
		ret = 0;
	} else if (d.fd < 0) {
		ret = dimg_fail_errno(node, d.fd, "cannot be opened");
	} else if (ioctl(d.fd, BLKGETSIZE64, &d.size) || fsync(d.fd)) {
		ret = dimg_fail_errno(node, -errno, "cannot be opened");
	} else {
		ret = dig(j, node, &d);
	}
	if (d.fd >= 0 && d.fd != seen)
		close(d.fd);
	if (seen >= 0)
		close(seen);
	dimg_holders_free(&h);
	return ret;
}

/* Is a partition or disk, or what is made of it, among the mounts? */
static bool is_mounted(const struct dimg_devset_member *part,
		       const struct dimg_uppers *m)
{
	struct dimg_devset above = { 0 };
	bool found = false;
	size_t i;

	if (!dimg_devset_load(major(part->dev), minor(part->dev), &above) &&
	    !dimg_devset_add_holders(&above))
		for (i = 0; !found && i < m->n; i++)
			found = dimg_devset_has(&above, m->v[i].dev);
	dimg_devset_free(&above);
	return found;
}

/* First byte of a partition on its disk. */
static uint64_t start_of(const struct dimg_devset_member *part)
{
	char sector[32];

	dimg_blockattr(part->dev, "start", sector, sizeof(sector));
	return strtoull(sector, NULL, 10) * DIMG_SECTOR_SIZE;
}

/* All parts of a device: mounted ones are trimmed, others searched for zeros. */
static int compact_parts(struct job *j, const struct dimg_device *dev,
			 const struct dimg_devset *set,
			 const struct dimg_uppers *m)
{
	/* with partitions, the disk itself has nothing to give */
	size_t i = set->n > 1 ? 1 : 0;
	int ret = 0, map_fd = dimg_usage_open(dev);

	for (; !ret && i < set->n; i++) {
		if (is_mounted(&set->v[i], m))
			continue;
		if (dev->flags & DIMGBLK_FLAG_AUTO_DETACH && !j->dry_run) {
			j->n_busy++;
			dimg_say(set->v[i].node, "is not mounted, and the device would be detached by this use (--auto-detach); it was left as it is\n"
				 "Mount it first, or detach it and compact the image.");
			continue;
		}
		ret = compact_node(j, dev, &set->v[i], map_fd,
				   dev->offset + start_of(&set->v[i]));
	}
	if (map_fd >= 0)
		close(map_fd);
	return ret;
}

static int compact_device(struct job *j, const struct dimg_device *dev)
{
	struct dimg_devset set = { 0 }, above = { 0 };
	const struct dimg_upper *failed;
	struct dimg_uppers m = { 0 };
	size_t i;
	int ret;

	ret = dimg_devset_load(dev->major, dev->minor, &set);
	if (!ret)
		ret = dimg_devset_load(dev->major, dev->minor, &above);
	if (!ret)
		ret = dimg_devset_add_holders(&above);
	if (!ret)
		ret = dimg_uppers_find(&above, &m);
	if (!ret && dimg_uppers_open(&m, &failed))
		ret = dimg_fail_errno(failed->target, failed->fd, "cannot be reached");
	else if (ret)
		ret = dimg_fail_errno(NULL, ret, "cannot find out who uses the device");
	for (i = 0; !ret && i < m.n; i++)
		if (m.v[i].fd >= 0)
			ret = compact_mount(j, &m.v[i]);
	if (!ret)
		ret = compact_parts(j, dev, &set, &m);
	dimg_uppers_free(&m);
	dimg_devset_free(&above);
	dimg_devset_free(&set);
	return ret;
}

/* Do two devices have bytes of one image in common? */
static bool is_overlap(const struct dimg_device *a, const struct dimg_device *b)
{
	return a->index != b->index && a->backing_inode == b->backing_inode &&
	       a->backing_major == b->backing_major &&
	       a->backing_minor == b->backing_minor &&
	       a->offset < b->offset + b->capacity * DIMG_SECTOR_SIZE &&
	       b->offset < a->offset + a->capacity * DIMG_SECTOR_SIZE;
}

/* Others that write to the same bytes, and of whom the device knows nothing. */
static int check_shared(const struct dimg_device *dev, const char *node,
			const struct dimg_devices *all)
{
	struct dimg_image img = { .path = dev->backing_path };
	struct stat st;
	int ret = 0;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (all->v[i].flags & DIMGBLK_FLAG_READ_ONLY ||
		    !is_overlap(dev, &all->v[i]))
			continue;
		dimg_say(node, "shares its image with /dev/" DIMG_NODE_PREFIX "%u, which may write to it\nDetach one of them first.",
			 all->v[i].index);
		return DIMG_EXIT_REFUSED;
	}
	if (!dev->backing_path)
		return 0;
	/* open, as the check asks the file for its number */
	img.fd = open(dev->backing_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (img.fd >= 0 && !fstat(img.fd, &st) &&
	    dimg_device_is_on(dev, dev->backing_path, &st))
		ret = dimg_lock_check_loop(&img);
	if (img.fd >= 0)
		close(img.fd);
	return ret;
}

/* An attached image. */
static int compact_attached(struct job *j, const struct dimg_device *dev,
			    const struct dimg_devices *all)
{
	struct dimg_usage before, after;
	char node[DIMG_NODE_LEN];
	int ret;

	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", dev->index);
	if (dev->state != DIMGBLK_STATE_LIVE) {
		dimg_say(node, "is being detached\n\"dimgsetup list\" shows what is attached.");
		return DIMG_EXIT_NOT_FOUND;
	}
	if (dev->flags & DIMGBLK_FLAG_READ_ONLY) {
		dimg_say(node, "is read-only, so nothing can be given back\nDetach it and compact the image, or attach it without -r.");
		return DIMG_EXIT_REFUSED;
	}
	if (dev->flags & DIMGBLK_FLAG_ALLOW_OVERLAP) {
		dimg_say(node, "shares its image with others that may write to it\nDetach it and compact the image.");
		return DIMG_EXIT_REFUSED;
	}
	ret = check_shared(dev, node, all);
	if (ret)
		return ret;
	dimg_usage_of(dev, &before);
	ret = compact_device(j, dev);
	if (ret)
		return ret;
	if (!j->n_done && j->n_busy)
		return DIMG_EXIT_BUSY;
	dimg_usage_of(dev, &after);
	if (after.is_file)
		report(j, dev->backing_path, before.allocated, after.allocated);
	return DIMG_EXIT_OK;
}

/* An image that is not attached. */
static int compact_file(struct job *j, const char *path)
{
	struct dimg_dig d = { 0 };
	struct dimg_image img;
	struct stat before, after;
	int ret;

	ret = dimg_image_open(path, j->dry_run, false, &img);
	if (ret)
		return ret;
	ret = dimg_lock_check_loop(&img);
	if (!ret)
		ret = j->dry_run ? dimg_lock_image(&img, true) :
			dimg_lock_alone(&img);
	d.fd = img.fd;
	d.map_fd = img.fd;
	d.size = img.size;
	if (!ret && !j->dry_run)
		ret = dimg_dig_alone(&d, path);
	/* what is not written out yet may pass for a hole in the map */
	if (!ret && (fsync(img.fd) || fstat(img.fd, &before)))
		ret = dimg_fail_errno(path, -errno, "cannot be written out");
	if (!ret)
		ret = dig(j, path, &d);
	if (!ret && fstat(img.fd, &after))
		ret = dimg_fail_errno(path, -errno, "");
	if (!ret)
		report(j, path, before.st_blocks * UINT64_C(512),
		       after.st_blocks * UINT64_C(512));
	dimg_image_close(&img);
	return ret;
}

/* -1 to go on, else the exit code. */
static int parse(int argc, char **argv, struct job *j)
{
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "nvhV", options, NULL)) != -1) {
		switch (opt) {
		case 'n':
			j->dry_run = true;
			break;
		case OPT_PROGRESS:
			ret = dimg_progress_option(optarg, &j->progress.mode);
			if (ret >= 0)
				return ret;
			break;
		case 'h':
			return usage();
		default:
			ret = dimg_getopt_common(opt);
			if (ret >= 0)
				return ret;
		}
	}
	if (optind + 1 != argc)
		return dimg_usage_error("give one device, image or name");
	return -1;
}

/**
 * dimg_cmd_compact - run "dimgsetup compact"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_compact(int argc, char **argv)
{
	struct job j = { 0 };
	struct dimg_subject s;
	size_t i;
	int ret;

	ret = parse(argc, argv, &j);
	if (ret >= 0)
		return ret;
	ret = dimg_subject_find(argv[optind], &s);
	j.nl = s.nl;
	for (i = 0; !ret && i < s.devs.n; i++)
		ret = compact_attached(&j, &s.devs.v[i], &s.all);
	if (!ret && !s.devs.n)
		ret = compact_file(&j, s.path);
	dimg_subject_free(&s);
	return ret;
}
