// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - owns the columns of list: their names, types and values. Printing
 * itself, escaping and JSON are libsmartcols'.
 *
 * Names and JSON keys are losetup's where the meaning is the same, so that
 * scripts move over. Column numbers are positions in the array below.
 */
#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dimgsetup.h"

#define JSON_KEY	"dimgdevices"

/*
 * Each of these makes the text of one cell in *@s, to be freed; NULL is an
 * empty cell, null in JSON. 0 or -ENOMEM.
 */
typedef int (*cell_fn)(const struct dimg_device *dev, bool bytes, char **s);

/* Building blocks of the cells below. */
static int format_u64(uint64_t n, char **s)
{
	return asprintf(s, "%llu", (unsigned long long)n) < 0 ? -ENOMEM : 0;
}

static int format_text(const char *text, char **s)
{
	*s = text && *text ? strdup(text) : NULL;
	return text && *text && !*s ? -ENOMEM : 0;
}

static int format_flag(const struct dimg_device *dev, uint32_t flag, char **s)
{
	return format_text(dev->flags & flag ? "1" : "0", s);
}

static int cell_name(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return asprintf(s, "/dev/" DIMG_NODE_PREFIX "%u", dev->index) < 0 ?
		-ENOMEM : 0;
}

/* losetup has a REF too, a word of the user that the kernel keeps. */
static int cell_ref(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_text(dev->name, s);
}

/* The one cell that differs for people and programs. */
static int cell_size(const struct dimg_device *dev, bool bytes, char **s)
{
	char buf[16];

	if (bytes)
		return format_u64(dev->capacity * DIMG_SECTOR_SIZE, s);
	dimg_human_size(dev->capacity * DIMG_SECTOR_SIZE, buf, sizeof(buf));
	return format_text(buf, s);
}

static int cell_offset(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->offset, s);
}

static int cell_sizelimit(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->size_limit, s);
}

static int cell_autoclear(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_flag(dev, DIMGBLK_FLAG_AUTO_DETACH, s);
}

static int cell_ro(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_flag(dev, DIMGBLK_FLAG_READ_ONLY, s);
}

static int cell_partscan(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_flag(dev, DIMGBLK_FLAG_PARTITION_SCAN, s);
}

static int cell_overlap(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_flag(dev, DIMGBLK_FLAG_ALLOW_OVERLAP, s);
}

static int cell_follow(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_flag(dev, DIMGBLK_FLAG_FOLLOW, s);
}

/* What is in effect; cell_direct() is what was asked for. */
static int cell_dio(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_text(dev->direct_in_use ? "1" : "0", s);
}

static int cell_direct(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_text(dimg_direct_text(dev->direct), s);
}

static int cell_dio_reason(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_text(dev->direct_reason, s);
}

static int cell_log_sec(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->logical_block_size, s);
}

static int cell_queues(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->nr_hw_queues, s);
}

static int cell_depth(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->queue_depth, s);
}

static int cell_back_file(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_text(dev->backing_path, s);
}

/* Not told to everybody: an empty cell then, not inode 0. */
static int cell_back_ino(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	*s = NULL;
	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_INODE))
		return 0;
	return format_u64(dev->backing_inode, s);
}

static int cell_back_dev(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	*s = NULL;
	if (!dimg_device_knows(dev, DIMGBLK_A_BACKING_MAJOR))
		return 0;
	return asprintf(s, "%u:%u", dev->backing_major, dev->backing_minor) < 0 ?
		-ENOMEM : 0;
}

static int cell_maj_min(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return asprintf(s, "%u:%u", dev->major, dev->minor) < 0 ? -ENOMEM : 0;
}

static int cell_diskseq(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->diskseq, s);
}

static int cell_open(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_u64(dev->open_count, s);
}

static int cell_state(const struct dimg_device *dev, bool bytes, char **s)
{
	(void)bytes;
	return format_text(dimg_state_text(dev->state), s);
}

#define TEXT	SCOLS_JSON_STRING
#define NUM	SCOLS_JSON_NUMBER
#define BOOL	SCOLS_JSON_BOOLEAN
#define RIGHT	SCOLS_FL_RIGHT
#define STD	DIMG_COLUMNS_STD
#define USAGE	DIMG_COLUMNS_USAGE

/* All columns in the order of --output-all; @sets: which sets each is in. */
static const struct column {
	const char *name;
	int json;
	int flags;
	int sets;
	cell_fn cell;
	const char *help;
} columns[] = {
	{ "NAME", TEXT, 0, STD | USAGE, cell_name, "device node" },
	{ "REF", TEXT, 0, 0, cell_ref, "name given by the user" },
	{ "SIZE", NUM, RIGHT, STD | USAGE, cell_size, "size of the device" },
	{ "OFFSET", NUM, RIGHT, STD, cell_offset, "first byte in the backing file" },
	{ "SIZELIMIT", NUM, RIGHT, STD, cell_sizelimit, "size limit in bytes, 0 is none" },
	{ "AUTOCLEAR", BOOL, RIGHT, 0, cell_autoclear, "detached at the last close" },
	{ "RO", BOOL, RIGHT, STD, cell_ro, "read-only" },
	{ "PARTSCAN", BOOL, RIGHT, 0, cell_partscan, "partition table scanned" },
	{ "OVERLAP", BOOL, RIGHT, 0, cell_overlap, "may overlap another device" },
	{ "FOLLOW", BOOL, RIGHT, 0, cell_follow, "grows with its backing file" },
	{ "DIO", BOOL, RIGHT, STD, cell_dio, "direct I/O in use" },
	{ "DIRECT", TEXT, 0, 0, cell_direct, "direct I/O as asked for" },
	{ "DIO-REASON", TEXT, 0, 0, cell_dio_reason, "why direct I/O is not in use" },
	{ "LOG-SEC", NUM, RIGHT, STD, cell_log_sec, "logical block size in bytes" },
	{ "QUEUES", NUM, RIGHT, 0, cell_queues, "hardware queues" },
	{ "DEPTH", NUM, RIGHT, 0, cell_depth, "requests in flight at most" },
	{ "VIRT", NUM, RIGHT, USAGE, dimg_cell_virt, "size of the backing file (root only)" },
	{ "ALLOC", NUM, RIGHT, USAGE, dimg_cell_alloc, "what it takes on its disk (root only)" },
	{ "USE%", NUM, RIGHT, USAGE, dimg_cell_use, "ALLOC in percent of VIRT (root only)" },
	{ "OVERCOMMIT", NUM, RIGHT, USAGE, dimg_cell_overcommit,
	  "what its disk lacks for all of it (root only)" },
	{ "FILE", TEXT, 0, USAGE, dimg_cell_file,
	  "ok, deleted, replaced or unreachable (root only)" },
	{ "BACK-FILE", TEXT, 0, STD | USAGE, cell_back_file, "backing file (root only)" },
	{ "BACK-INO", NUM, RIGHT, 0, cell_back_ino, "its inode (root only)" },
	{ "BACK-MAJ:MIN", TEXT, 0, 0, cell_back_dev, "device that holds it (root only)" },
	{ "MAJ:MIN", TEXT, 0, 0, cell_maj_min, "number of the node" },
	{ "DISKSEQ", NUM, RIGHT, 0, cell_diskseq, "sequence number of the disk" },
	{ "OPEN", NUM, RIGHT, 0, cell_open, "openers of disk and partitions" },
	{ "STATE", TEXT, 0, 0, cell_state, "live, detaching or dead" },
	{ "ERRORS", NUM, RIGHT, 0, dimg_cell_errors, "requests that failed since attach" },
	{ "FIRST-ERROR", TEXT, 0, 0, dimg_cell_first_error, "the first of them" },
	{ "LAST-ERROR", TEXT, 0, 0, dimg_cell_last_error, "the last of them" },
};

#define N_COLUMNS	(sizeof(columns) / sizeof(*columns))

/* dimg_table_columns - choose the columns of a set, or all of them. */
void dimg_table_columns(struct dimg_table *t, enum dimg_columns set)
{
	size_t i;

	t->n_columns = 0;
	for (i = 0; i < N_COLUMNS; i++)
		if (set == DIMG_COLUMNS_ALL || columns[i].sets & set)
			t->columns[t->n_columns++] = i;
}

/* The number of the column called @name, upper or lower case; or -EINVAL. */
static int find_column(const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < N_COLUMNS; i++)
		if (strlen(columns[i].name) == len &&
		    !strncasecmp(columns[i].name, name, len))
			return i;
	return -EINVAL;
}

/**
 * dimg_table_parse_columns - take the argument of -o
 * @list: names with commas; +NAME,... is the default columns and these
 *
 * Return: 0, or the exit code for wrong usage after the reason was printed.
 */
int dimg_table_parse_columns(struct dimg_table *t, const char *list)
{
	size_t max = sizeof(t->columns) / sizeof(*t->columns);
	int column;
	size_t len;

	t->n_columns = 0;
	if (*list == '+') {
		dimg_table_columns(t, DIMG_COLUMNS_STD);
		list++;
	}
	for (;; list += len + 1) {
		len = strcspn(list, ",");
		column = find_column(list, len);
		if (column < 0)
			return dimg_usage_error("there is no column \"%.*s\"",
						(int)len, list);
		if (t->n_columns == max)
			return dimg_usage_error("more than %zu columns", max);
		t->columns[t->n_columns++] = column;
		if (!list[len])
			return 0;
	}
}

/* dimg_table_help - list the columns for --help. */
void dimg_table_help(FILE *f)
{
	size_t i;

	for (i = 0; i < N_COLUMNS; i++)
		fprintf(f, "  %-13s %s%s\n", columns[i].name, columns[i].help,
			columns[i].sets & STD ? " *" : "");
}

/* An empty table with the chosen columns; NULL is out of memory. */
static struct libscols_table *new_table(const struct dimg_table *t)
{
	struct libscols_table *tb = scols_new_table();
	size_t i;

	if (!tb)
		return NULL;
	scols_table_enable_json(tb, t->json);
	scols_table_enable_raw(tb, t->raw);
	scols_table_enable_noheadings(tb, t->no_headings);
	scols_table_set_name(tb, t->json_key ? : JSON_KEY);
	for (i = 0; i < t->n_columns; i++) {
		const struct column *c = &columns[t->columns[i]];
		struct libscols_column *cl;

		cl = scols_table_new_column(tb, c->name, 0, c->flags);
		if (!cl) {
			scols_unref_table(tb);
			return NULL;
		}
		scols_column_set_json_type(cl, c->json);
	}
	return tb;
}

/* One device. On failure the caller drops the table with all its lines. */
static int add_line(struct libscols_table *tb, const struct dimg_table *t,
		    const struct dimg_device *dev)
{
	struct libscols_line *ln = scols_table_new_line(tb, NULL);
	/* programs get numbers that they can compute with */
	bool bytes = t->bytes || t->json || t->raw;
	size_t i;

	if (!ln)
		return -ENOMEM;
	for (i = 0; i < t->n_columns; i++) {
		char *s = NULL;

		if (columns[t->columns[i]].cell(dev, bytes, &s))
			return -ENOMEM;
		/* the line owns the string from here on */
		if (s && scols_line_refer_data(ln, i, s)) {
			free(s);
			return -ENOMEM;
		}
	}
	return 0;
}

/**
 * dimg_table_print - print devices on stdout
 *
 * Return: an exit code; out of memory has been reported.
 */
int dimg_table_print(const struct dimg_table *t, const struct dimg_devices *devs)
{
	struct libscols_table *tb;
	struct dimg_error e;
	size_t i;
	int ret;

	/* libsmartcols prints nothing at all for no line, in some versions */
	if (!devs->n) {
		if (t->json)
			printf("{\n   \"%s\": []\n}\n",
			       t->json_key ? : JSON_KEY);
		return DIMG_EXIT_OK;
	}
	tb = new_table(t);
	for (i = 0, ret = tb ? 0 : -ENOMEM; !ret && i < devs->n; i++)
		ret = add_line(tb, t, &devs->v[i]);
	if (!ret)
		ret = scols_print_table(tb);
	scols_unref_table(tb);
	if (!ret)
		return DIMG_EXIT_OK;
	dimg_error_set(&e, -ret, "cannot print the table");
	return dimg_fail(NULL, &e);
}
