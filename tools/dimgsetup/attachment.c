// SPDX-License-Identifier: GPL-2.0
/*
 * attachment.c - owns what the options of attach mean, for whoever attaches:
 * the commands attach and mount, mount.dimg (-o dimg.NAME), /etc/dimgtab.
 *
 * One table names the options. dimg_attach_open() does all that can be done
 * without the driver: a typing error must not load a module.
 * dimg_attach_run() asks the kernel; what it warns about comes from the
 * kernel's reply, never from what was asked for.
 */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "dimgsetup.h"

/* Long options have their place in the table, past all letters, as their value. */
#define LONG_OPTION		0x1000

/**
 * struct attach_option - one option of attach
 * @letter: the short form; 0 if there is none
 * @arg: as in struct option
 * @take: sets it; -1 to go on, else the exit code. The value is NULL if none
 *	was given.
 */
struct attach_option {
	const char *name;
	char letter;
	int arg;
	int (*take)(struct dimg_attach *a, const char *name, const char *value);
};

/* Mark an attribute as chosen; what is not chosen is not sent. */
static void give(struct dimg_attach *a, int attr)
{
	a->req.given |= UINT64_C(1) << attr;
}

static bool is_given(const struct dimg_attach *a, int attr)
{
	return a->req.given & (UINT64_C(1) << attr);
}

/* A number that cannot be read is wrong usage: the kernel never sees it. */
static int bad_number(const char *name, const char *s, int err)
{
	if (err == -ERANGE)
		return dimg_usage_error("--%s: the number \"%s\" is too large",
					name, s);
	return dimg_usage_error("--%s: \"%s\" is no number with a known unit, such as 4096 or 10M",
				name, s);
}

/*
 * The take_* functions below read one value each. Ranges are the kernel's to
 * check: it knows the machine and the image, and says what the limit is.
 */
static int take_size(struct dimg_attach *a, int attr, const char *name,
		     const char *s, uint64_t *val)
{
	int ret = dimg_parse_size(s, val);

	give(a, attr);
	return ret ? bad_number(name, s, ret) : -1;
}

static int take_u32(struct dimg_attach *a, int attr, const char *name,
		    const char *s, uint32_t *val)
{
	int ret = dimg_parse_u32(s, val);

	give(a, attr);
	return ret ? bad_number(name, s, ret) : -1;
}

static int take_offset(struct dimg_attach *a, const char *name, const char *s)
{
	return take_size(a, DIMGBLK_A_OFFSET, name, s, &a->req.offset);
}

static int take_sizelimit(struct dimg_attach *a, const char *name, const char *s)
{
	return take_size(a, DIMGBLK_A_SIZE_LIMIT, name, s, &a->req.size_limit);
}

/* -b takes a unit too (-b 4K), but travels as 32 bits; auto is the default. */
static int take_block_size(struct dimg_attach *a, const char *name,
			   const char *s)
{
	uint64_t bytes = 0;
	int ret;

	if (!strcmp(s, "auto")) {
		a->req.given &= ~(UINT64_C(1) << DIMGBLK_A_LOGICAL_BLOCK_SIZE);
		return -1;
	}
	ret = take_size(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE, name, s, &bytes);
	if (ret < 0 && bytes > UINT32_MAX)
		ret = bad_number(name, s, -ERANGE);
	a->req.logical_block_size = bytes;
	return ret;
}

static int take_index(struct dimg_attach *a, const char *name, const char *s)
{
	return take_u32(a, DIMGBLK_A_INDEX, name, s, &a->req.index);
}

/* A node instead of a number, as fingers know it from losetup. */
static int take_device(struct dimg_attach *a, const char *name, const char *s)
{
	bool partition;

	give(a, DIMGBLK_A_INDEX);
	if (!dimg_parse_node(s, &a->req.index, &partition) && !partition)
		return -1;
	return dimg_usage_error("--%s: \"%s\" is no node of a disk, such as /dev/dimgblk7",
				name, s);
}

/* Without a value it is asked for: "on". */
static int take_direct(struct dimg_attach *a, const char *name, const char *s)
{
	give(a, DIMGBLK_A_DIRECT);
	if (!dimg_parse_direct(s, &a->req.direct))
		return -1;
	return dimg_usage_error("--%s takes on, off or auto, not \"%s\"", name, s);
}

/* The kernel takes an empty name for none: not what was meant. */
static int take_name(struct dimg_attach *a, const char *name, const char *s)
{
	a->req.name = s;
	return *s ? -1 : dimg_usage_error("--%s: the name is empty", name);
}

static int take_queues(struct dimg_attach *a, const char *name, const char *s)
{
	return take_u32(a, DIMGBLK_A_NR_HW_QUEUES, name, s,
			&a->req.nr_hw_queues);
}

static int take_depth(struct dimg_attach *a, const char *name, const char *s)
{
	return take_u32(a, DIMGBLK_A_QUEUE_DEPTH, name, s, &a->req.queue_depth);
}

static int take_part(struct dimg_attach *a, const char *name, const char *s)
{
	a->part = s;
	return *s ? -1 : dimg_usage_error("--%s: which partition?", name);
}

/* The switches; one function each keeps the table plain. */
static int take_flag(struct dimg_attach *a, uint32_t flag)
{
	a->req.flags |= flag;
	return -1;
}

#define TAKE_FLAG(fn, flag)						\
static int fn(struct dimg_attach *a, const char *name, const char *s)	\
{									\
	(void)name;							\
	(void)s;							\
	return take_flag(a, flag);					\
}

TAKE_FLAG(take_read_only, DIMGBLK_FLAG_READ_ONLY)
TAKE_FLAG(take_partscan, DIMGBLK_FLAG_PARTITION_SCAN)
TAKE_FLAG(take_auto_detach, DIMGBLK_FLAG_AUTO_DETACH)
TAKE_FLAG(take_overlap, DIMGBLK_FLAG_ALLOW_OVERLAP)
TAKE_FLAG(take_follow, DIMGBLK_FLAG_FOLLOW)

/* Long names are unique; the words after the first of a meaning are aliases. */
static const struct attach_option options[] = {
	{ "offset", 'o', required_argument, take_offset },
	{ "sizelimit", 0, required_argument, take_sizelimit },
	{ "part", 0, required_argument, take_part },
	{ "read-only", 'r', no_argument, take_read_only },
	{ "ro", 0, no_argument, take_read_only },
	{ "sector-size", 'b', required_argument, take_block_size },
	{ "logical-block-size", 0, required_argument, take_block_size },
	{ "direct-io", 0, optional_argument, take_direct },
	{ "direct", 0, optional_argument, take_direct },
	{ "partscan", 'P', no_argument, take_partscan },
	{ "follow", 0, no_argument, take_follow },
	{ "index", 0, required_argument, take_index },
	{ "device", 'd', required_argument, take_device },
	{ "name", 0, required_argument, take_name },
	{ "auto-detach", 0, no_argument, take_auto_detach },
	{ "autoclear", 0, no_argument, take_auto_detach },
	{ "allow-overlap", 0, no_argument, take_overlap },
	{ "queues", 0, required_argument, take_queues },
	{ "queue-depth", 0, required_argument, take_depth },
};

#define N_OPTIONS	(sizeof(options) / sizeof(*options))

/* dimg_attach_init - everything the kernel's choice, nothing open. */
void dimg_attach_init(struct dimg_attach *a)
{
	memset(a, 0, sizeof(*a));
	a->img.fd = -1;
	give(a, DIMGBLK_A_FLAGS);
}

static int take(struct dimg_attach *a, const struct attach_option *o,
		const char *value)
{
	if (o->arg == required_argument && !value)
		return dimg_usage_error("%s needs a value: %s=...", o->name,
					o->name);
	if (o->arg == no_argument && value)
		return dimg_usage_error("%s takes no value, \"%s\" was given",
					o->name, value);
	return o->take(a, o->name, value);
}

/**
 * dimg_attach_option - set one option by its name
 * @name: a long option of attach, without dashes
 * @value: must live as long as @a; NULL if there is none
 *
 * Return: -1 to go on, else an exit code after the reason has been printed.
 */
int dimg_attach_option(struct dimg_attach *a, const char *name,
		       const char *value)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (!strcmp(options[i].name, name))
			return take(a, &options[i], value);
	return dimg_usage_error("there is no option \"%s\"; \"dimgsetup attach --help\" lists them",
				name);
}

/**
 * dimg_attach_longopts - the options as getopt_long() wants them
 * @more: the command's own, up to an entry without name; they come first
 * @to: room for DIMG_LONGOPTS of them
 */
void dimg_attach_longopts(const struct option *more, struct option *to)
{
	size_t n = 0, i;

	for (; more->name && n + N_OPTIONS + 1 < DIMG_LONGOPTS; more++)
		to[n++] = *more;
	for (i = 0; i < N_OPTIONS; i++)
		to[n++] = (struct option){
			.name = options[i].name, .has_arg = options[i].arg,
			.val = LONG_OPTION + i,
		};
	to[n] = (struct option){ 0 };
}

/**
 * dimg_attach_getopt - handle an option of attach
 * @opt: what getopt_long() returned: a letter of DIMG_ATTACH_LETTERS or a value
 *	of dimg_attach_longopts()
 * @value: optarg
 *
 * Return: -1 to go on, -2 if it is none of them, else the exit code.
 */
int dimg_attach_getopt(struct dimg_attach *a, int opt, const char *value)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (opt == LONG_OPTION + (int)i ||
		    (opt && opt == options[i].letter))
			return take(a, &options[i], value);
	return -2;
}

/* dimg_attach_usage - the lines of --help about the options above. */
void dimg_attach_usage(FILE *f)
{
	fputs("  -o, --offset N         first byte of the image to use\n"
	      "      --sizelimit N      bytes to use at most; 0 is to the end of the image\n"
	      "      --part PART        use one partition of the image: its number, name,\n"
	      "                         PARTUUID, or its file system's label or UUID\n"
	      "  -r, --read-only        refuse writes; the image is opened for reading only\n"
	      "                         (also --ro)\n"
	      "  -b, --sector-size N    logical block size: 512, 1024, 2048 or 4096 bytes;\n"
	      "                         \"auto\", the default, is that of the image's GPT\n"
	      "                         (also --logical-block-size)\n"
	      "      --direct-io[=on|off|auto]\n"
	      "                         go past the page cache of the image; \"on\" (also without\n"
	      "                         a value) refuses if that cannot be had, \"auto\", the\n"
	      "                         default, takes it where it can be had (also --direct)\n"
	      "  -P, --partscan         scan the partition table\n"
	      "      --follow           grow when the image grows\n"
	      "      --index N          become /dev/dimgblkN\n"
	      "  -d, --device DEV       the same, as a node: -d /dev/dimgblk7\n"
	      "      --name NAME        name for the other commands: letters, digits, _ . : + -\n"
	      "      --auto-detach      detach at the last close after the first exclusive\n"
	      "                         open, such as a mount (also --autoclear)\n"
	      "      --allow-overlap    attach although bytes are attached already, writable\n"
	      "      --queues N         hardware queues, 1 to the number of CPUs\n"
	      "      --queue-depth N    requests in flight at most, 1 to 4096\n",
	      f);
}

/* Options that make sense alone, but not together. */
static int check_options(const struct dimg_attach *a)
{
	if (a->part && (is_given(a, DIMGBLK_A_OFFSET) ||
			is_given(a, DIMGBLK_A_SIZE_LIMIT)))
		return dimg_usage_error("--part chooses the offset and the size itself; leave out --offset and --sizelimit");
	return 0;
}

/* What the partition table counts in, and with it the block size of choice. */
static int find_sector_size(struct dimg_attach *a)
{
	uint64_t offset = a->req.offset;
	struct dimg_error e;
	uint32_t bytes;
	int ret;

	/* an impossible offset is the kernel's to refuse, in its words */
	if (offset >= a->img.size)
		return 0;
	ret = dimg_probe_sector_size(a->img.fd, offset, &a->gpt_sector_size);
	if (ret) {
		dimg_error_set(&e, -ret, "cannot be read");
		return dimg_fail(a->path, &e);
	}
	bytes = a->gpt_sector_size;
	/*
	 * 512 is what the kernel takes by itself, unless the storage below
	 * allows larger blocks only: then a warning is better than a refusal.
	 */
	if (bytes <= DIMG_SECTOR_SIZE || offset % bytes ||
	    a->req.size_limit % bytes ||
	    is_given(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE))
		return 0;
	a->req.logical_block_size = bytes;
	give(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE);
	dimg_note(a->path, "the GPT was made for sectors of %u bytes: this is the logical block size",
		  bytes);
	return 0;
}

/* An MBR counts in sectors too, but does not say of which size. */
static uint32_t table_sector_size(const struct dimg_attach *a)
{
	if (a->gpt_sector_size)
		return a->gpt_sector_size;
	if (is_given(a, DIMGBLK_A_LOGICAL_BLOCK_SIZE))
		return a->req.logical_block_size;
	return dimg_image_sector_size(&a->img);
}

static int find_window(struct dimg_attach *a)
{
	int ret = find_sector_size(a);

	if (ret || !a->part)
		return ret;
	ret = dimg_partition_find(&a->img, table_sector_size(a), a->part,
				  &a->req.offset, &a->req.size_limit);
	if (ret)
		return ret;
	give(a, DIMGBLK_A_OFFSET);
	give(a, DIMGBLK_A_SIZE_LIMIT);
	dimg_note(a->path, "partition %s: offset %llu, %llu bytes", a->part,
		  (unsigned long long)a->req.offset,
		  (unsigned long long)a->req.size_limit);
	return 0;
}

/**
 * dimg_attach_open - all that can be done and refused without the driver
 * @a: path and options are set; give it to dimg_attach_close() in any case
 *
 * Opens the image and finds the sector size and the partition.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_attach_open(struct dimg_attach *a)
{
	int ret = check_options(a);

	if (ret)
		return ret;
	ret = dimg_image_open(a->path, a->req.flags & DIMGBLK_FLAG_READ_ONLY,
			      a->req.flags & DIMGBLK_FLAG_ALLOW_OVERLAP,
			      &a->img);
	if (!ret)
		ret = find_window(a);
	a->req.backing_fd = a->img.fd;
	return ret;
}

/* Point out bytes of the image that the device does not have. */
static void warn_size(const struct dimg_attach *a, const struct dimg_device *dev)
{
	uint64_t size = dev->capacity * DIMG_SECTOR_SIZE;
	uint64_t rest = a->img.size > dev->offset ? a->img.size - dev->offset : 0;

	if (dev->size_limit && dev->size_limit <= rest)
		rest = dev->size_limit;
	else if (dev->size_limit > rest)
		dimg_say(a->path,
			 "warning: --sizelimit %llu is more than the image has; the device has %llu bytes",
			 (unsigned long long)dev->size_limit,
			 (unsigned long long)size);
	if (rest > size)
		dimg_say(a->path,
			 "warning: the last %llu bytes are not part of the device: the size is no multiple of the logical block size, %u",
			 (unsigned long long)(rest - size),
			 dev->logical_block_size);
}

/* A GPT is found at the second sector only: of another size, it is not seen. */
static void warn_sector_size(const struct dimg_attach *a,
			     const struct dimg_device *dev)
{
	if (!a->gpt_sector_size || a->part ||
	    a->gpt_sector_size == dev->logical_block_size)
		return;
	dimg_say(a->path,
		 "warning: the GPT was made for sectors of %u bytes, the device has %u; its partitions cannot be seen\n"
		 "Use -b %u if the image and the storage below it allow that.",
		 a->gpt_sector_size, dev->logical_block_size,
		 a->gpt_sector_size);
}

/**
 * dimg_attach_run - attach what dimg_attach_open() has opened
 * @dev: set on success to what is in effect; give it to dimg_device_free()
 *
 * When it returns 0 the device is complete: partitions, nodes and links are
 * there. Prints nothing on stdout.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_attach_run(struct dimg_nl *nl, struct dimg_attach *a,
		    struct dimg_device *dev)
{
	/* udev may be done with the device before the reply is here */
	uint64_t start_us = dimg_now_us();
	struct dimg_error e;
	int ret;

	if (dimg_nl_attach(nl, &a->req, dev, &e))
		return dimg_fail_attach(a->path, &e);
	warn_size(a, dev);
	warn_sector_size(a, dev);
	dimg_note(a->path, "direct I/O is %s%s%s",
		  dev->direct_in_use ? "on" : "off",
		  dev->direct_reason ? ": " : "",
		  dev->direct_reason ? dev->direct_reason : "");
	ret = dimg_settle(dev, start_us);
	if (ret)
		dimg_note(a->path, "did not wait for udev: %s",
			  strerror(-ret));
	return 0;
}

/* dimg_attach_close - what is attached stays; the kernel has its own reference. */
void dimg_attach_close(struct dimg_attach *a)
{
	dimg_image_close(&a->img);
}
