// SPDX-License-Identifier: GPL-2.0
/*
 * create.c - the command "create": make an image file, with a partition table
 * and a file system if asked for.
 *
 * Everything is checked before the first byte is written; the file gets its
 * name when it is complete (newfile.c). Needs neither root nor the driver.
 */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dimgsetup.h"

/* A GPT at both ends, and a partition between that is worth the name. */
#define GPT_SIZE_MIN	(3 << 20)
/* Characters that a partition's name in a GPT has room for */
#define PART_NAME_MAX	36

enum { OPT_METHOD = 256, OPT_MKFS, OPT_LABEL, OPT_UUID, OPT_GPT, OPT_FORCE,
	OPT_PROGRESS };

static const struct option options[] = {
	{ "method", required_argument, NULL, OPT_METHOD },
	{ "mkfs", required_argument, NULL, OPT_MKFS },
	{ "label", required_argument, NULL, OPT_LABEL },
	{ "uuid", required_argument, NULL, OPT_UUID },
	{ "gpt", no_argument, NULL, OPT_GPT },
	{ "force", no_argument, NULL, OPT_FORCE },
	{ "progress", required_argument, NULL, OPT_PROGRESS },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 }
};

/**
 * struct create - what to make
 * @target: the file to be: @path, or what it links to
 */
struct create {
	const char *path;
	struct dimg_target target;
	uint64_t size;
	enum dimg_fill method;
	struct dimg_mkfs mkfs;
	bool gpt;
	bool force;
	struct dimg_progress progress;
};

static int usage(void)
{
	fputs("Usage: dimgsetup create [OPTION]... IMAGE SIZE\n"
	      "Make a disk image. It appears under its name when it is complete; a command that\n"
	      "fails or is interrupted leaves nothing. Needs neither root nor the module.\n\n"
	      "      --method=sparse|allocate|zero\n"
	      "                         sparse, the default: takes room as it is written;\n"
	      "                         allocate: room is reserved; zero: zeros are written\n"
	      "      --mkfs=ext4|xfs|btrfs|vfat\n"
	      "                         make a file system in it\n"
	      "      --label=LABEL      label of the file system; without one, name of the\n"
	      "                         partition\n"
	      "      --uuid=UUID        UUID of the file system; 1234-ABCD for vfat\n"
	      "      --gpt              a GPT with one partition; the file system goes there\n"
	      "      --force            take the place of a file that exists, if nobody uses it\n"
	      "      --progress=bar|json|none\n"
	      "                         how far it has come, on stderr; a bar on a terminal\n"
	      "  -v, --verbose          say on stderr what was made\n"
	      "  -h, --help             this text\n"
	      "  -V, --version          print the version\n\n"
	      "SIZE is in bytes, a multiple of 512, or has a unit: 40G = 40GiB, 40GB = 40 * 1000^3.\n",
	      stdout);
	return DIMG_EXIT_OK;
}

/* -1 to go on, else the exit code. */
static int parse_option(int opt, struct create *c)
{
	switch (opt) {
	case OPT_METHOD:
		return dimg_fill_option(optarg, &c->method);
	case OPT_MKFS:
		c->mkfs.type = optarg;
		return -1;
	case OPT_LABEL:
		c->mkfs.label = optarg;
		return -1;
	case OPT_UUID:
		c->mkfs.uuid = optarg;
		return -1;
	case OPT_GPT:
		c->gpt = true;
		return -1;
	case OPT_FORCE:
		c->force = true;
		return -1;
	case OPT_PROGRESS:
		return dimg_progress_option(optarg, &c->progress.mode);
	default:
		return dimg_getopt_common(opt);
	}
}

/* Characters, not bytes: those that do not continue another one in UTF-8. */
static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += (*s & 0xc0) != 0x80;
	return n;
}

/* Options that must fit each other. */
static int check_options(const struct create *c)
{
	if (c->mkfs.uuid && !c->mkfs.type)
		return dimg_usage_error("--uuid is the UUID of a file system: say which with --mkfs");
	if (c->mkfs.label && !c->mkfs.type && !c->gpt)
		return dimg_usage_error("--label needs --mkfs or --gpt: there is nothing else to label");
	if (c->mkfs.label && c->gpt && characters(c->mkfs.label) > PART_NAME_MAX)
		return dimg_usage_error("--label: the name of a partition has %d characters at most",
					PART_NAME_MAX);
	if (c->gpt && c->size < GPT_SIZE_MIN)
		return dimg_usage_error("an image with --gpt has at least 3M");
	return c->mkfs.type ? dimg_mkfs_check(&c->mkfs) : 0;
}

static int parse(int argc, char **argv, struct create *c)
{
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "vhV", options, NULL)) != -1) {
		if (opt == 'h')
			return usage();
		ret = parse_option(opt, c);
		if (ret >= 0)
			return ret;
	}
	if (optind + 2 != argc)
		return dimg_usage_error("give IMAGE and SIZE, such as: disk.img 40G");
	c->path = argv[optind];
	ret = dimg_size_parse(argv[optind + 1], &c->size);
	if (ret)
		return ret;
	ret = check_options(c);
	return ret ? ret : -1;
}

/* The file system into the partition: made beside, then moved there. */
static int make_in_partition(struct create *c, struct dimg_newfile *f,
			     uint64_t size)
{
	int fd = dimg_newfile_scratch(f), ret;
	struct dimg_error e;

	if (fd < 0)
		return DIMG_EXIT_KERNEL;
	ret = ftruncate(fd, size) ? -errno : 0;
	if (ret) {
		dimg_error_set(&e, -ret, "no room to make the file system");
		ret = dimg_fail(c->path, &e);
	} else {
		ret = dimg_mkfs(c->path, fd, &c->mkfs);
	}
	if (!ret) {
		int err = fsync(fd) ? -errno :
			dimg_copy_data(fd, size, f->fd, c->mkfs.start);

		dimg_error_set(&e, -err, "the file system cannot be put into the partition");
		ret = err ? dimg_fail(c->path, &e) : 0;
	}
	close(fd);
	return ret;
}

/* Everything between the empty file and the finished one. */
static int make(struct create *c, struct dimg_newfile *f)
{
	uint64_t size = c->size;
	int ret;

	ret = dimg_fill(c->path, f->fd, c->size, c->method, &c->progress);
	if (!ret && c->gpt)
		ret = dimg_ptable_create(c->path, f->fd, c->mkfs.label,
					 c->mkfs.type && !strcmp(c->mkfs.type, "vfat"),
					 &c->mkfs.start, &size);
	if (ret || !c->mkfs.type)
		return ret;
	/* mkfs would dig holes where blocks were asked for */
	c->mkfs.keep_blocks = c->method != DIMG_FILL_SPARSE && !c->gpt;
	return c->gpt ? make_in_partition(c, f, size) :
		dimg_mkfs(c->path, f->fd, &c->mkfs);
}

/* A sparse image may be larger than its disk; better said now than by ENOSPC. */
static void warn_overcommit(const struct create *c, int fd)
{
	char needed_text[16], free_text[16];
	uint64_t needed, avail;

	if (!dimg_image_overcommits(fd, &needed, &avail))
		return;
	dimg_human_size(needed, needed_text, sizeof(needed_text));
	dimg_human_size(avail, free_text, sizeof(free_text));
	dimg_say(c->path,
		 "warning: the image can grow by %s, but its file system has %s free; writes fail when that is used up",
		 needed_text, free_text);
}

static void tell(const struct create *c, bool replaced)
{
	static const char * const how[] = {
		[DIMG_FILL_SPARSE] = "sparse",
		[DIMG_FILL_ALLOCATE] = "allocated",
		[DIMG_FILL_ZERO] = "written with zeros",
	};
	char size[8];

	dimg_human_size(c->size, size, sizeof(size));
	dimg_note(c->path, "%s %s (%llu bytes), %s%s%s%s",
		  replaced ? "replaced by" : "made with", size,
		  (unsigned long long)c->size, how[c->method],
		  c->gpt ? ", GPT" : "", c->mkfs.type ? ", " : "",
		  c->mkfs.type ? c->mkfs.type : "");
}

/* The new file is for those only whom the old one was for. */
static int take_over(struct dimg_newfile *f, const struct dimg_target *t)
{
	const struct stat *old = &t->st;

	/* as far as one may: root gives the file to whom it was */
	if (fchown(f->fd, old->st_uid, -1))
		dimg_note(f->path, "has another owner now: %s", strerror(errno));
	/* mkfs opens it once more */
	return dimg_newfile_narrow(f, t->img.fd, old->st_mode | 0600, old->st_gid, true);
}

static int make_file(struct create *c)
{
	struct dimg_newfile f;
	int ret = dimg_newfile_open(&f, c->target.path);

	if (ret)
		return ret;
	if (c->target.exists)
		ret = take_over(&f, &c->target);
	if (!ret)
		ret = make(c, &f);
	if (!ret)
		ret = dimg_newfile_publish(&f, &c->target);
	if (!ret)
		warn_overcommit(c, f.fd);
	dimg_newfile_close(&f);
	return ret;
}

/**
 * dimg_cmd_create - run "dimgsetup create"
 *
 * Return: an exit code; whatever went wrong has been reported.
 */
int dimg_cmd_create(int argc, char **argv)
{
	struct create c = { .method = DIMG_FILL_SPARSE };
	int ret;

	ret = parse(argc, argv, &c);
	if (ret >= 0)
		return ret;
	ret = dimg_target_open(c.path, c.force, &c.target);
	if (!ret)
		ret = make_file(&c);
	if (!ret)
		tell(&c, c.target.exists);
	dimg_target_close(&c.target);
	return ret;
}
