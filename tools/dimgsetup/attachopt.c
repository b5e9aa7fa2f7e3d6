// SPDX-License-Identifier: GPL-2.0
/*
 * attachopt.c - owns the options of attach and what their values mean, for
 * whoever attaches: the commands attach and mount, mount.dimg (-o dimg.NAME),
 * /etc/dimgtab.
 *
 * One table names them. Nothing here opens a file or asks the kernel, so that
 * test-attachopt.c can feed it anything.
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
 *	was given. NULL for a switch that is a flag of the driver:
 * @flag: DIMGBLK_FLAG_*
 */
struct attach_option {
	const char *name;
	char letter;
	int arg;
	int (*take)(struct dimg_attach *a, const char *name, const char *value);
	uint32_t flag;
};

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

	dimg_attach_give(a, attr);
	return ret ? bad_number(name, s, ret) : -1;
}

static int take_u32(struct dimg_attach *a, int attr, const char *name,
		    const char *s, uint32_t *val)
{
	int ret = dimg_parse_u32(s, val);

	dimg_attach_give(a, attr);
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

	dimg_attach_give(a, DIMGBLK_A_INDEX);
	if (!dimg_parse_node(s, &a->req.index, &partition) && !partition)
		return -1;
	return dimg_usage_error("--%s: \"%s\" is no node of a disk, such as /dev/dimgblk7",
				name, s);
}

/* Without a value it is asked for: "on". */
static int take_direct(struct dimg_attach *a, const char *name, const char *s)
{
	dimg_attach_give(a, DIMGBLK_A_DIRECT);
	if (!dimg_parse_direct(s, &a->req.direct))
		return -1;
	return dimg_usage_error("--%s takes on, off or auto, not \"%s\"", name, s);
}

/* The kernel takes an empty name for none: not what was meant. */
static int take_name(struct dimg_attach *a, const char *name, const char *s)
{
	a->req.name = s;
	if (!*s)
		return dimg_usage_error("--%s: the name is empty", name);
	return dimg_parse_is_part_name(s) ?
		dimg_usage_error(DIMG_PART_NAME_TEXT, s) : -1;
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

static int take_no_lock(struct dimg_attach *a, const char *name, const char *s)
{
	(void)name;
	(void)s;
	a->no_lock = true;
	return -1;
}

/* Long names are unique; the words after the first of a meaning are aliases. */
static const struct attach_option options[] = {
	{ "offset", 'o', required_argument, take_offset, 0 },
	{ "sizelimit", 0, required_argument, take_sizelimit, 0 },
	{ "part", 0, required_argument, take_part, 0 },
	{ "read-only", 'r', no_argument, NULL, DIMGBLK_FLAG_READ_ONLY },
	{ "ro", 0, no_argument, NULL, DIMGBLK_FLAG_READ_ONLY },
	{ "sector-size", 'b', required_argument, take_block_size, 0 },
	{ "logical-block-size", 0, required_argument, take_block_size, 0 },
	{ "direct-io", 0, optional_argument, take_direct, 0 },
	{ "direct", 0, optional_argument, take_direct, 0 },
	{ "partscan", 'P', no_argument, NULL, DIMGBLK_FLAG_PARTITION_SCAN },
	{ "follow", 0, no_argument, NULL, DIMGBLK_FLAG_FOLLOW },
	{ "index", 0, required_argument, take_index, 0 },
	{ "device", 'd', required_argument, take_device, 0 },
	{ "name", 0, required_argument, take_name, 0 },
	{ "auto-detach", 0, no_argument, NULL, DIMGBLK_FLAG_AUTO_DETACH },
	{ "autoclear", 0, no_argument, NULL, DIMGBLK_FLAG_AUTO_DETACH },
	{ "allow-overlap", 0, no_argument, NULL, DIMGBLK_FLAG_ALLOW_OVERLAP },
	{ "no-lock", 0, no_argument, take_no_lock, 0 },
	{ "queues", 0, required_argument, take_queues, 0 },
	{ "queue-depth", 0, required_argument, take_depth, 0 },
};

#define N_OPTIONS	(sizeof(options) / sizeof(*options))

static int take(struct dimg_attach *a, const struct attach_option *o,
		const char *value)
{
	if (o->arg == required_argument && !value)
		return dimg_usage_error("%s needs a value: %s=...", o->name,
					o->name);
	if (o->arg == no_argument && value)
		return dimg_usage_error("%s takes no value, \"%s\" was given",
					o->name, value);
	if (o->take)
		return o->take(a, o->name, value);
	a->req.flags |= o->flag;
	return -1;
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

/* dimg_attach_knows - whether there is an option of this name. */
bool dimg_attach_knows(const char *name)
{
	size_t i;

	for (i = 0; i < N_OPTIONS; i++)
		if (!strcmp(options[i].name, name))
			return true;
	return false;
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
	      "      --no-lock          attach in spite of a virtual machine that uses the image,\n"
	      "                         and do not lock it against one\n"
	      "      --queues N         hardware queues, 1 to the number of CPUs\n"
	      "      --queue-depth N    requests in flight at most, 1 to 4096\n",
	      f);
}
