// SPDX-License-Identifier: GPL-2.0
/*
 * tree.c - owns the picture of what lies on what: disk > file system > image >
 * device > partition > file system, with the layers that others put in between.
 *
 * Each thing is one line, found again by a key, so that several images on one
 * disk share its line, and an image on a mounted device gets below that device.
 * Downwards it asks the kernel module and sysfs, upwards sysfs and uppers.c.
 */
#include <dirent.h>
#include <errno.h>
#include <libmount.h>
#include <libsmartcols/libsmartcols.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

enum { COL_NAME, COL_TYPE, COL_SIZE, COL_USED, COL_INFO };

static const struct {
	const char *name;
	int flags;
	int json;
} columns[] = {
	[COL_NAME] = { "NAME", SCOLS_FL_TREE, SCOLS_JSON_STRING },
	[COL_TYPE] = { "TYPE", 0, SCOLS_JSON_STRING },
	[COL_SIZE] = { "SIZE", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COL_USED] = { "USED", SCOLS_FL_RIGHT, SCOLS_JSON_NUMBER },
	[COL_INFO] = { "INFO", 0, SCOLS_JSON_STRING },
};

/**
 * struct tree - the picture while it is drawn
 * @all: every attached device
 * @bytes: sizes for programs
 * @failed: out of memory; noted once, looked at in the end
 * @key, @line: the lines that there are
 */
struct tree {
	struct libscols_table *tb;
	const struct dimg_devices *all;
	bool bytes;
	bool failed;
	size_t n;
	char **key;
	struct libscols_line **line;
};

static void set_size(struct tree *t, struct libscols_line *ln, int col,
		     uint64_t size)
{
	char s[24];

	if (t->bytes)
		snprintf(s, sizeof(s), "%llu", (unsigned long long)size);
	else
		dimg_human_size(size, s, sizeof(s));
	t->failed |= scols_line_set_data(ln, col, s);
}

static struct libscols_line *find(const struct tree *t, const char *key)
{
	size_t i;

	for (i = 0; i < t->n; i++)
		if (!strcmp(t->key[i], key))
			return t->line[i];
	return NULL;
}

/* A new line, to be found by @key from now on; NULL is out of memory. */
static struct libscols_line *draw(struct tree *t, const char *key,
				  struct libscols_line *parent, const char *name,
				  const char *type)
{
	struct libscols_line *ln = scols_table_new_line(t->tb, parent), **line;
	char **keys;

	line = reallocarray(t->line, t->n + 1, sizeof(*line));
	if (line)
		t->line = line;
	keys = reallocarray(t->key, t->n + 1, sizeof(*keys));
	if (keys)
		t->key = keys;
	t->failed |= !ln || !line || !keys;
	if (t->failed)
		return NULL;
	t->line[t->n] = ln;
	t->key[t->n] = strdup(key);
	t->failed |= !t->key[t->n] ||
		scols_line_set_data(ln, COL_NAME, name) ||
		scols_line_set_data(ln, COL_TYPE, type);
	t->n += !!t->key[t->n];
	return t->failed ? NULL : ln;
}

static struct libscols_line *draw_block(struct tree *t, dev_t dev);

/* One file system, where it is mounted, with what it lies on. */
static struct libscols_line *draw_mount(struct tree *t, int id, const char *path,
					const char *type,
					struct libscols_line *parent)
{
	struct libscols_line *ln;
	struct statvfs fs;
	char key[32];

	snprintf(key, sizeof(key), "mount %d", id);
	ln = find(t, key);
	if (!ln)
		ln = draw(t, key, parent, path, type);
	if (!ln || statvfs(path, &fs) || !fs.f_blocks)
		return ln;
	set_size(t, ln, COL_SIZE, (uint64_t)fs.f_blocks * fs.f_frsize);
	set_size(t, ln, COL_USED, (uint64_t)(fs.f_blocks - fs.f_bfree) * fs.f_frsize);
	return ln;
}

/* The file system that the file @path is on; NULL if it cannot be told. */
static struct libscols_line *draw_fs_of(struct tree *t, const char *path)
{
	struct libmnt_table *tb = mnt_new_table_from_file("/proc/self/mountinfo");
	struct libscols_line *ln = NULL, *below = NULL;
	struct libmnt_fs *fs = NULL;
	const char *source;
	struct stat st;

	/* backwards: the last mount on top of others is what a path leads to */
	if (tb)
		fs = mnt_table_find_mountpoint(tb, path, MNT_ITER_BACKWARD);
	if (fs) {
		source = mnt_fs_get_srcpath(fs);
		if (source && !strncmp(source, "/dev/", 5) &&
		    !stat(source, &st) && S_ISBLK(st.st_mode))
			below = draw_block(t, st.st_rdev);
		else if (major(mnt_fs_get_devno(fs)))
			below = draw_block(t, mnt_fs_get_devno(fs));
		ln = draw_mount(t, mnt_fs_get_id(fs), mnt_fs_get_target(fs),
				mnt_fs_get_fstype(fs), below);
	}
	mnt_unref_table(tb);
	return ln;
}

/* The image of a device, or the block device in its place; NULL if unknown. */
static struct libscols_line *draw_image(struct tree *t,
					const struct dimg_device *dev)
{
	dev_t backing = makedev(dev->backing_major, dev->backing_minor);
	struct libscols_line *ln, *below = NULL;
	struct dimg_usage u;
	char key[64];

	dimg_usage_of(dev, &u);
	if (u.state == DIMG_FILE_UNKNOWN)
		return NULL;
	if (u.state == DIMG_FILE_OK && !u.is_file)
		return draw_block(t, backing);
	snprintf(key, sizeof(key), "image %u:%u %llu", major(backing),
		 minor(backing), (unsigned long long)dev->backing_inode);
	ln = find(t, key);
	if (ln)
		return ln;
	if (u.state == DIMG_FILE_OK)
		below = draw_fs_of(t, dev->backing_path);
	ln = draw(t, key, below, dev->backing_path, "image");
	if (!ln || u.state != DIMG_FILE_OK) {
		t->failed |= ln && scols_line_set_data(ln, COL_INFO,
						       dimg_file_state_text(u.state));
		return ln;
	}
	set_size(t, ln, COL_SIZE, u.size);
	set_size(t, ln, COL_USED, u.allocated);
	return ln;
}

/* What is worth a word about a device of ours. */
static void set_info(struct tree *t, struct libscols_line *ln,
		     const struct dimg_device *dev)
{
	const char *name = dev->name ? dev->name : "";
	char offset[48] = "", s[DIMGBLK_NAME_MAX_LEN + 80];

	if (dev->offset)
		snprintf(offset, sizeof(offset), "offset %llu, ",
			 (unsigned long long)dev->offset);
	snprintf(s, sizeof(s), "%s%s%s%s", name, *name ? ", " : "", offset,
		 dev->flags & DIMGBLK_FLAG_READ_ONLY ? "read-only" : "writable");
	t->failed |= scols_line_set_data(ln, COL_INFO, s);
}

/* What people call a block device that is none of ours. */
static const char *block_type(dev_t dev)
{
	char s[64];

	dimg_blockattr(dev, "partition", s, sizeof(s));
	if (*s)
		return "part";
	dimg_blockattr(dev, "dm/uuid", s, sizeof(s));
	if (!strncmp(s, "CRYPT-", 6))
		return "crypt";
	if (!strncmp(s, "LVM-", 4))
		return "lvm";
	dimg_blockattr(dev, "dm/name", s, sizeof(s));
	if (*s)
		return "dm";
	dimg_blockattr(dev, "md/level", s, sizeof(s));
	if (*s)
		return "raid";
	dimg_blockattr(dev, "loop/offset", s, sizeof(s));
	return *s ? "loop" : "disk";
}

/* The line of a block device itself, with the name that people use. */
static struct libscols_line *draw_node(struct tree *t, dev_t dev,
				       const char *key,
				       struct libscols_line *parent)
{
	char name[PATH_MAX], link[PATH_MAX], dir[64], size[32];
	struct libscols_line *ln;

	dimg_blockattr(dev, "dm/name", name, sizeof(name));
	snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	if (*name)
		snprintf(link, sizeof(link), "/dev/mapper/%.255s", name);
	else if (realpath(dir, name))
		snprintf(link, sizeof(link), "/dev/%.255s", strrchr(name, '/') + 1);
	else
		snprintf(link, sizeof(link), "%u:%u", major(dev), minor(dev));
	ln = draw(t, key, parent, link, block_type(dev));
	dimg_blockattr(dev, "size", size, sizeof(size));
	if (ln && *size)
		set_size(t, ln, COL_SIZE, strtoull(size, NULL, 10) * DIMG_SECTOR_SIZE);
	return ln;
}

/* The lines of what a device is made of; the first becomes its parent. */
static struct libscols_line *draw_slaves(struct tree *t, dev_t dev)
{
	struct libscols_line *first = NULL, *ln;
	struct dirent *entry;
	char path[PATH_MAX];
	dev_t slave;
	DIR *d;

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/slaves", major(dev),
		 minor(dev));
	d = opendir(path);
	while (d && (entry = readdir(d))) {
		snprintf(path, sizeof(path), "slaves/%s/dev", entry->d_name);
		slave = *entry->d_name == '.' ? 0 : dimg_blockattr_dev(dev, path);
		ln = slave ? draw_block(t, slave) : NULL;
		if (!first)
			first = ln;
	}
	if (d)
		closedir(d);
	return first;
}

/* The line of any block device, with all that it lies on. */
static struct libscols_line *draw_block(struct tree *t, dev_t dev)
{
	const struct dimg_device *ours = NULL;
	struct libscols_line *ln, *below;
	char key[48], s[8];
	size_t i;

	snprintf(key, sizeof(key), "block %u:%u", major(dev), minor(dev));
	ln = find(t, key);
	if (ln)
		return ln;
	for (i = 0; i < t->all->n; i++)
		if (makedev(t->all->v[i].major, t->all->v[i].minor) == dev)
			ours = &t->all->v[i];
	dimg_blockattr(dev, "partition", s, sizeof(s));
	if (ours)
		below = draw_image(t, ours);
	else if (*s)
		below = draw_block(t, dimg_blockattr_dev(dev, "../dev"));
	else
		below = draw_slaves(t, dev);
	ln = draw_node(t, dev, key, below);
	if (ln && ours)
		set_info(t, ln, ours);
	return ln;
}

/* What is mounted from a device, here or where others see it. */
static void draw_mounts(struct tree *t, const struct dimg_devset *set)
{
	struct dimg_uppers m;
	size_t i;

	if (!dimg_uppers_find(set, &m))
		for (i = 0; !t->failed && i < m.n; i++)
			draw_mount(t, m.v[i].id, m.v[i].path, m.v[i].type,
				   draw_block(t, m.v[i].dev));
	dimg_uppers_free(&m);
}

/* A device of ours with all that it lies on, and all that lies on it. */
static void draw_device(struct tree *t, const struct dimg_device *dev)
{
	struct dimg_devset set;
	size_t i;

	draw_block(t, makedev(dev->major, dev->minor));
	if (!dimg_devset_load(dev->major, dev->minor, &set) &&
	    !dimg_devset_add_holders(&set)) {
		for (i = 0; !t->failed && i < set.n; i++)
			draw_block(t, set.v[i].dev);
		draw_mounts(t, &set);
	}
	dimg_devset_free(&set);
}

/**
 * dimg_tree_print - print what devices lie on, and what lies on them
 * @all: every attached device
 * @chosen: those to draw; others come in if they lie below
 *
 * Return: an exit code; out of memory has been reported.
 */
int dimg_tree_print(const struct dimg_devices *all,
		    const struct dimg_devices *chosen, bool json, bool bytes)
{
	struct tree t = { .tb = scols_new_table(), .all = all,
			  .bytes = json || bytes };
	struct dimg_error e;
	size_t i;

	t.failed = !t.tb;
	for (i = 0; !t.failed && i < sizeof(columns) / sizeof(*columns); i++) {
		struct libscols_column *cl =
			scols_table_new_column(t.tb, columns[i].name, 0,
					       columns[i].flags);

		t.failed = !cl || scols_column_set_json_type(cl, columns[i].json);
	}
	for (i = 0; !t.failed && i < chosen->n; i++)
		draw_device(&t, &chosen->v[i]);
	if (!t.failed) {
		scols_table_enable_json(t.tb, json);
		scols_table_set_name(t.tb, "dimgtree");
		if (chosen->n)
			t.failed = scols_print_table(t.tb);
		else if (json)
			puts("{\n   \"dimgtree\": []\n}");
	}
	scols_unref_table(t.tb);
	for (i = 0; i < t.n; i++)
		free(t.key[i]);
	free(t.key);
	free(t.line);
	if (!t.failed)
		return DIMG_EXIT_OK;
	dimg_error_set(&e, ENOMEM, "cannot draw the tree");
	return dimg_fail(NULL, &e);
}
