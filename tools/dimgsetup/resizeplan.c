// SPDX-License-Identifier: GPL-2.0
/*
 * resizeplan.c - owns the plan of "resize": what is in the image, what will
 * be, and what is refused. Nothing is changed here; the numbers come from the
 * same libraries that do it afterwards, tried on a draft in memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "resize.h"

/* Partition tables are within this of both ends. */
#define TABLE_BYTES	(1 << 20)

/**
 * resize_window - bytes that a device has with an image of @file_bytes
 * @dev: its offset, size limit and block size; all 0 for the whole image
 */
uint64_t resize_window(const struct dimg_device *dev, uint64_t file_bytes)
{
	uint64_t bytes;
	uint32_t block = dev->logical_block_size ? dev->logical_block_size :
		DIMG_SECTOR_SIZE;

	bytes = file_bytes > dev->offset ? file_bytes - dev->offset : 0;
	if (dev->size_limit && dev->size_limit < bytes)
		bytes = dev->size_limit;
	return bytes - bytes % block;
}

static int fail_read(const struct resize *r, int err)
{
	struct dimg_error e;

	dimg_error_set(&e, -err, "its contents cannot be read");
	return dimg_fail(r->arg, &e);
}

/* Take over the partition that ends last. */
static int find_last(struct resize *r, const struct dimg_partitions *parts)
{
	size_t i, last = parts->n;

	for (i = 0; i < parts->n; i++) {
		if (parts->v[i].container) {
			dimg_say(r->arg, "its partition table has an extended partition, which is not resized here\n"
				 "Resize the file without --all; then use fdisk on the device.");
			return DIMG_EXIT_REFUSED;
		}
		if (last == parts->n ||
		    parts->v[i].start + parts->v[i].size >
		    parts->v[last].start + parts->v[last].size)
			last = i;
	}
	if (last == parts->n)
		return 0;
	r->part.nr = parts->v[last].nr;
	r->part.start = parts->v[last].start;
	r->part_old = parts->v[last].size;
	r->part.size = r->part_old;
	return 0;
}

/* What the table counts in; a GPT of 4 KiB in a file looks like an MBR before. */
static int find_sector_size(struct resize *r)
{
	int ret = dimg_probe_sector_size(r->disk_fd, 0, &r->sector_size);

	if (ret)
		return ret;
	if (r->sector_size && !strcmp(r->pttype, "PMBR")) {
		free(r->pttype);
		r->pttype = strdup("gpt");
		return r->pttype ? 0 : -ENOMEM;
	}
	if (!r->sector_size)
		r->sector_size = r->attached ? r->dev.logical_block_size :
			DIMG_SECTOR_SIZE;
	return 0;
}

/* The table, and what is in its last partition. */
static int load_table(struct resize *r)
{
	struct dimg_partitions parts;
	int ret;

	ret = find_sector_size(r);
	if (!ret) {
		/* what lies behind the last whole sector is nobody's */
		r->disk_old -= r->disk_old % r->sector_size;
		r->disk_new -= r->disk_new % r->sector_size;
	}
	if (!ret)
		ret = dimg_probe_partitions(r->disk_fd, r->sector_size, &parts);
	if (ret)
		return fail_read(r, ret);
	ret = find_last(r, &parts);
	dimg_partitions_free(&parts);
	if (ret || !r->part.nr)
		return ret;
	ret = dimg_probe(r->disk_fd, r->part.start, r->part_old, &r->fs);
	return ret ? fail_read(r, ret) : 0;
}

static int refuse_ambivalent(const struct resize *r)
{
	dimg_say(r->arg, "it has the marks of several file systems, or of one and a partition table, so nobody knows which is valid\n"
		 "\"wipefs FILE\" shows them, and removes the wrong one.");
	return DIMG_EXIT_REFUSED;
}

/*
 * Is there a table with partitions beside the mark of a file system? The marks of ext4
 * and btrfs survive a table that is written over them, and what is valid then is in
 * the partitions. A table without any may be the boot code of a file system.
 */
static int check_table(struct resize *r)
{
	struct dimg_partitions parts;
	uint32_t sector_size;
	int ret;

	if (r->fs.ambivalent || !r->fs.type || !r->fs.pttype)
		return 0;
	ret = dimg_probe_sector_size(r->disk_fd, 0, &sector_size);
	if (!ret && !sector_size)
		sector_size = r->attached ? r->dev.logical_block_size :
			DIMG_SECTOR_SIZE;
	if (!ret)
		ret = dimg_probe_partitions(r->disk_fd, sector_size, &parts);
	if (ret)
		return ret == -ENODATA ? 0 : ret;
	r->fs.ambivalent = parts.n > 0;
	dimg_partitions_free(&parts);
	return 0;
}

/* What is on the disk? */
static int load_contents(struct resize *r)
{
	int ret = dimg_probe(r->disk_fd, 0, r->disk_old, &r->fs);

	if (!ret)
		ret = check_table(r);
	if (ret)
		return fail_read(r, ret);
	if (!r->fs.ambivalent && !r->fs.type && r->fs.pttype) {
		r->pttype = strdup(r->fs.pttype);
		dimg_probe_free(&r->fs);
		if (!r->pttype)
			return fail_read(r, -ENOMEM);
		ret = load_table(r);
	}
	if (!ret && r->fs.ambivalent)
		ret = refuse_ambivalent(r);
	return ret;
}

static bool is_gpt(const struct resize *r)
{
	return r->pttype && !strcmp(r->pttype, "gpt");
}

/* Copy a stretch of the disk to the draft; 0 or -errno. */
static int copy_stretch(const struct resize *r, int draft, uint64_t pos)
{
	size_t len = r->disk_old - pos < TABLE_BYTES ? r->disk_old - pos :
		TABLE_BYTES;
	char *buf = malloc(len);
	int ret = -ENOMEM;

	if (buf)
		ret = pread(r->disk_fd, buf, len, pos) == (ssize_t)len &&
		      pwrite(draft, buf, len, pos) == (ssize_t)len ? 0 : -EIO;
	free(buf);
	return ret;
}

/* Copy what may be a partition table to the draft; 0 or -errno. */
static int copy_table(const struct resize *r, int draft, bool gpt)
{
	uint64_t tail = r->disk_old > TABLE_BYTES ? r->disk_old - TABLE_BYTES : 0;
	int ret = copy_stretch(r, draft, 0);

	if (!ret && gpt)
		ret = copy_stretch(r, draft, tail);
	if (!ret && ftruncate(draft, r->disk_old))
		ret = -errno;
	return ret;
}

/* How large will the last partition be? Tried on a copy of the table. */
static int try_larger(struct resize *r, int draft)
{
	int ret = copy_table(r, draft, is_gpt(r));
	bool mended;

	if (ret)
		return fail_read(r, ret);
	if (is_gpt(r))
		ret = dimg_ptable_mend(r->arg, draft, r->sector_size, &mended);
	if (ret)
		return ret;
	if (ftruncate(draft, r->disk_new))
		return fail_read(r, -errno);
	r->part.size = 0;
	return dimg_ptable_set(r->arg, draft, r->sector_size, &r->part,
			       r->part_old);
}

static int plan_table(struct resize *r)
{
	int draft = memfd_create("draft", MFD_CLOEXEC), ret = 0;

	if (draft < 0 || ftruncate(draft, r->disk_new)) {
		ret = fail_read(r, -errno);
	} else if (r->disk_new >= r->disk_old) {
		ret = try_larger(r, draft);
	} else if (is_gpt(r)) {
		/* resize_close() closes it */
		r->draft = draft;
		return dimg_ptable_draft(r->arg, r->disk_fd, draft,
					 r->sector_size, &r->part, r->part_old);
	}
	if (draft >= 0)
		close(draft);
	if (!ret && r->disk_new < r->disk_old)
		r->part.size = dimg_ptable_size_smaller(r->part.start, r->part_old,
							r->disk_new);
	return ret;
}

static int refuse_small(const struct resize *r, const char *what, uint64_t end)
{
	dimg_say(r->arg, "%llu bytes are too few: %s reaches to byte %llu\n"
		 "Take a larger size%s.", (unsigned long long)r->file_new, what,
		 (unsigned long long)end,
		 r->all ? "" : ", or say --all to make it smaller, too");
	return DIMG_EXIT_REFUSED;
}

/* The disk becomes smaller, but what is on it is not touched: does it fit? */
static int check_fits(struct resize *r)
{
	uint64_t bytes = 0;
	int ret;

	if (is_gpt(r)) {
		dimg_say(r->arg, "its GPT has a backup at the end, which would be cut off\nSay --all to move it.");
		return DIMG_EXIT_REFUSED;
	}
	if (r->pttype && !r->part.nr && strcmp(r->pttype, "dos")) {
		dimg_say(r->arg, "its partition table (%s) shows no partition and may be damaged, so nobody knows what would be cut off\n"
			 "\"sfdisk --verify FILE\" tells what is wrong with it, gdisk(8) can mend a GPT.",
			 r->pttype);
		return DIMG_EXIT_REFUSED;
	}
	if (r->pttype) {
		bytes = r->part.start + r->part_old;
		return bytes > r->disk_new ?
			refuse_small(r, "the last partition", bytes) : 0;
	}
	ret = resize_fs_size(r, &bytes);
	if (ret)
		return ret;
	return bytes > r->disk_new ? refuse_small(r, r->fs.type, bytes) : 0;
}

static int refuse_shrink(const struct resize *r)
{
	bool file = r->file_new < r->file_old;

	dimg_say(r->arg, "%s would shrink from %llu to %llu bytes\n%s",
		 file ? "it" : "the device",
		 (unsigned long long)(file ? r->file_old : r->disk_old),
		 (unsigned long long)(file ? r->file_new : r->disk_new),
		 file ? "Say --shrink if that is meant." :
		 "Shrink what is on it first (resize2fs, sfdisk), then say --shrink; or make the image larger again.");
	return DIMG_EXIT_REFUSED;
}

/* A cut goes through other devices of the file, too: whose are they? */
static int check_others(const struct resize *r)
{
	struct dimg_devices all = { 0 };
	struct dimg_error e;
	struct stat st;
	int ret = 0;
	size_t i;

	if (!r->attached)
		return 0;
	if (fstat(r->fd, &st))
		return fail_read(r, -errno);
	if (dimg_nl_dump(r->nl, &all, &e))
		return dimg_fail(NULL, &e);
	for (i = 0; !ret && i < all.n; i++) {
		if (all.v[i].index == r->dev.index ||
		    !dimg_device_is_on(&all.v[i], r->path, &st))
			continue;
		dimg_say(r->path, "is attached to /dev/" DIMG_NODE_PREFIX "%u, too, which may have what would be cut off\n"
			 "Detach that first: \"dimgsetup detach %s%u\".",
			 all.v[i].index, DIMG_NODE_PREFIX, all.v[i].index);
		ret = DIMG_EXIT_BUSY;
	}
	dimg_devices_free(&all);
	return ret;
}

/* Only what was looked at is cut off: the device must reach to the end. */
static int check_cut(const struct resize *r)
{
	uint64_t end = r->dev.offset + r->disk_old;
	uint32_t block = r->dev.logical_block_size ? r->dev.logical_block_size :
		DIMG_SECTOR_SIZE;

	if (r->file_new >= r->file_old)
		return 0;
	if (end >= r->file_old || r->file_old - end < block)
		return check_others(r);
	dimg_say(r->arg, "the device ends at byte %llu of its file, which has %llu: what lies behind it would be cut off unseen\n%s",
		 (unsigned long long)end, (unsigned long long)r->file_old,
		 r->dev.size_limit ? "Detach it, and resize the file." :
		 "Run \"dimgsetup resize DEV\" first, for the device to take the size of its file.");
	return DIMG_EXIT_REFUSED;
}

/* The device must show the partitions that are to change. */
static int check_partscan(const struct resize *r)
{
	if (!r->attached || !r->pttype || !r->part.nr)
		return 0;
	if (is_gpt(r) && r->sector_size != r->dev.logical_block_size) {
		dimg_say(r->arg, "its GPT counts in sectors of %u bytes, and it was attached with %u, so its partitions cannot be reached\n"
			 "Detach it, or attach it with -P -b %u.", r->sector_size,
			 r->dev.logical_block_size, r->sector_size);
		return DIMG_EXIT_REFUSED;
	}
	if (r->dev.flags & DIMGBLK_FLAG_PARTITION_SCAN)
		return 0;
	dimg_say(r->arg, "it has partitions, but was attached without -P, so they cannot be reached\n"
		 "Detach it, or attach it with -P.");
	return DIMG_EXIT_REFUSED;
}

/* The bytes at the end are gone already: nothing can be done in order. */
static int refuse_cut(const struct resize *r)
{
	dimg_say(r->arg, "the file has been cut off by other means: %llu bytes, of %llu that its device or partition has\n"
		 "Make it as large again (truncate -s) if nothing is lost; then \"dimgsetup resize --shrink --all\" with a size.",
		 (unsigned long long)r->file_new,
		 (unsigned long long)(r->pttype ? r->part.start + r->part_old :
				      r->disk_old));
	return DIMG_EXIT_REFUSED;
}

/* The sizes of table and file system; both are fixed from here on. */
static int plan_contents(struct resize *r)
{
	bool smaller = r->disk_new < r->disk_old;
	int ret = check_partscan(r);

	if (!ret && r->pttype && !r->part.nr) {
		dimg_say(r->arg, "its partition table has no partition\nMake one, or resize without --all.");
		return DIMG_EXIT_REFUSED;
	}
	if (!ret && r->pttype)
		ret = plan_table(r);
	if (ret)
		return ret;
	if (r->pttype && !r->part.size)
		return refuse_small(r, "the last partition", r->part.start);
	if (r->pttype && !smaller && r->part.size < r->part_old)
		return refuse_cut(r);
	r->fs_new = r->pttype ? r->part.size : r->disk_new;
	if (smaller && (!r->pttype || r->part.size < r->part_old)) {
		ret = resize_fs_size(r, &r->fs_old);
		/* it is small enough already, perhaps from an earlier attempt */
		if (!ret && r->fs_old < r->fs_new)
			r->fs_new = r->fs_old;
	}
	return ret ? ret : resize_fs_check(r);
}

/* Is there a GPT now, which nobody would find on the larger disk? 0 or -errno. */
static int try_found(struct resize *r, bool *lost)
{
	int draft = memfd_create("draft", MFD_CLOEXEC), ret;

	if (draft < 0)
		return -errno;
	ret = dimg_probe_sector_size(r->disk_fd, 0, &r->sector_size);
	if (!ret && !r->sector_size)
		r->sector_size = r->attached ? r->dev.logical_block_size :
			DIMG_SECTOR_SIZE;
	if (!ret) {
		r->disk_old -= r->disk_old % r->sector_size;
		ret = copy_table(r, draft, true);
	}
	if (!ret && dimg_ptable_is_gpt(draft, r->sector_size)) {
		if (ftruncate(draft, r->disk_new - r->disk_new % r->sector_size))
			ret = -errno;
		else
			*lost = !dimg_ptable_is_gpt(draft, r->sector_size);
	}
	close(draft);
	return ret;
}

/*
 * A GPT whose first copy is void is found by its second one, which is looked for at the
 * end: on a larger disk nobody finds it. With --all it is mended first; here nothing is
 * written that was not asked for.
 */
static int check_lost_table(const struct resize *r)
{
	char node[DIMG_NODE_LEN];
	struct resize look = *r;
	bool lost = false;
	int ret;

	if (r->disk_new <= r->disk_old || !r->disk_old)
		return 0;
	snprintf(node, sizeof(node), "/dev/" DIMG_NODE_PREFIX "%u", r->dev.index);
	if (r->disk_fd < 0)
		look.disk_fd = open(node, O_RDONLY | O_CLOEXEC);
	if (look.disk_fd < 0) {
		dimg_note(node, "cannot be opened, so nobody has looked whether it has a GPT that would be lost");
		return 0;
	}
	ret = try_found(&look, &lost);
	if (look.disk_fd != r->disk_fd)
		close(look.disk_fd);
	if (ret)
		return fail_read(r, ret);
	if (!lost)
		return 0;
	dimg_say(r->arg, "the first copy of its GPT is void, and the second one is looked for at the end: nobody would find its partitions any more\n"
		 "Say --all, which writes both copies anew first; or do that with gdisk(8) before.");
	return DIMG_EXIT_REFUSED;
}

/**
 * resize_plan - find out all numbers, and refuse what cannot be
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int resize_plan(struct resize *r)
{
	bool smaller = r->file_new < r->file_old || r->disk_new < r->disk_old;
	int ret;

	if (smaller && !r->shrink)
		return refuse_shrink(r);
	if (!r->disk_new) {
		dimg_say(r->arg, "nothing would be left of the device\nTake a larger size.");
		return DIMG_EXIT_REFUSED;
	}
	ret = check_cut(r);
	if (ret)
		return ret;
	/* without a size, the file is as large as it shall be */
	if (!r->all && (!r->has_size || r->disk_new >= r->disk_old))
		return check_lost_table(r);
	if (r->file_new == r->file_old && r->disk_new < r->disk_old)
		return refuse_cut(r);
	ret = load_contents(r);
	if (ret)
		return ret;
	return r->all ? plan_contents(r) : check_fits(r);
}
