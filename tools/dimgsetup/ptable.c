// SPDX-License-Identifier: GPL-2.0
/*
 * ptable.c - owns changes of partition tables, by libfdisk: a new GPT, and
 * larger or smaller disks and last partitions. Reading alone is in probe.c.
 *
 * libfdisk works on a descriptor: of an image that is not attached, or of its
 * device if it is. It asks nobody anything here and writes once, at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <libfdisk.h>
#include <linux/blkpg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dimgsetup.h"

#define GUID_LINUX	"0FC63DAF-8483-4772-8E79-3D69D8477DE4"
/* What other systems expect a FAT in */
#define GUID_BASIC_DATA	"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
#define ALIGNMENT	(1 << 20)
/* Where programs put the entries of a GPT: behind its header */
#define ENTRIES_LBA	2

/* A context on a descriptor, which stays the caller's. NULL and errno if none. */
static struct fdisk_context *open_context(const char *path, int fd,
					  uint32_t sector_size)
{
	struct fdisk_context *cxt = fdisk_new_context();
	int ret;

	if (!cxt)
		return NULL;
	fdisk_disable_dialogs(cxt, 1);
	/* a file does not tell the size of the sectors that its table counts in */
	ret = fdisk_save_user_sector_size(cxt, 0, sector_size);
	if (!ret)
		ret = fdisk_assign_device_by_fd(cxt, fd, path, 0);
	if (!ret)
		return cxt;
	fdisk_unref_context(cxt);
	errno = -ret;
	return NULL;
}

static void close_context(struct fdisk_context *cxt)
{
	/* no sync() of the whole machine; the caller syncs this one file */
	fdisk_deassign_device(cxt, 1);
	fdisk_unref_context(cxt);
}

static int fail_table(const char *path, int err, const char *what)
{
	struct dimg_error e;

	dimg_error_set(&e, err < 0 ? -err : EIO, "%s", what);
	return dimg_fail(path, &e);
}

/* One partition from the first MiB to the end; 0 or -errno. */
static int add_partition(struct fdisk_context *cxt, const char *name, bool fat)
{
	struct fdisk_partition *pa = fdisk_new_partition();
	struct fdisk_parttype *type;
	int ret;

	type = fdisk_label_get_parttype_from_string(fdisk_get_label(cxt, "gpt"),
						    fat ? GUID_BASIC_DATA : GUID_LINUX);
	if (!pa || !type) {
		fdisk_unref_partition(pa);
		return -ENOMEM;
	}
	fdisk_partition_set_partno(pa, 0);
	fdisk_partition_set_start(pa, ALIGNMENT / fdisk_get_sector_size(cxt));
	fdisk_partition_end_follow_default(pa, 1);
	ret = fdisk_partition_set_type(pa, type);
	if (!ret && name)
		ret = fdisk_partition_set_name(pa, name);
	if (!ret)
		ret = fdisk_add_partition(cxt, pa, NULL);
	fdisk_unref_partition(pa);
	return ret;
}

/* Where the only partition lies, in bytes; 0 or -errno. */
static int locate(struct fdisk_context *cxt, uint64_t *start, uint64_t *size)
{
	struct fdisk_partition *pa = NULL;
	int ret = fdisk_get_partition(cxt, 0, &pa);

	if (!ret) {
		*start = fdisk_partition_get_start(pa) * fdisk_get_sector_size(cxt);
		*size = fdisk_partition_get_size(pa) * fdisk_get_sector_size(cxt);
	}
	fdisk_unref_partition(pa);
	return ret;
}

/**
 * dimg_ptable_create - write a GPT with one partition into a new image
 * @path: for messages
 * @name: of the partition; NULL for none
 * @fat: it will hold a FAT
 * @start, @size: set to where the partition lies, in bytes
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_ptable_create(const char *path, int fd, const char *name, bool fat,
		       uint64_t *start, uint64_t *size)
{
	struct fdisk_context *cxt = open_context(path, fd, DIMG_SECTOR_SIZE);
	int ret;

	if (!cxt)
		return fail_table(path, -errno, "the image cannot be partitioned");
	ret = fdisk_create_disklabel(cxt, "gpt");
	if (!ret)
		ret = add_partition(cxt, name, fat);
	if (!ret)
		ret = locate(cxt, start, size);
	if (!ret)
		ret = fdisk_write_disklabel(cxt);
	close_context(cxt);
	return ret ? fail_table(path, ret, "the image cannot be partitioned") : 0;
}

/* Partition @nr gets @size bytes; 0 or -errno. */
static int set_size(struct fdisk_context *cxt, unsigned int nr, uint64_t start,
		    uint64_t size)
{
	struct fdisk_partition *old = NULL, *now = NULL, *pa = fdisk_new_partition();
	int ret = pa ? fdisk_get_partition(cxt, nr - 1, &old) : -ENOMEM;

	/* not the table that was looked at, such as a protective MBR */
	if (!ret && fdisk_partition_get_start(old) * fdisk_get_sector_size(cxt) != start)
		ret = -ESTALE;
	if (!ret) {
		fdisk_partition_set_start(pa, fdisk_partition_get_start(old));
		fdisk_partition_set_size(pa, size / fdisk_get_sector_size(cxt));
		fdisk_partition_size_explicit(pa, 1);
		ret = fdisk_set_partition(cxt, nr - 1, pa);
	}
	/* no table holds all numbers, and not all of libfdisk minds */
	if (!ret)
		ret = fdisk_get_partition(cxt, nr - 1, &now);
	if (!ret && (fdisk_partition_get_start(now) != fdisk_partition_get_start(old) ||
		     fdisk_partition_get_size(now) != fdisk_partition_get_size(pa)))
		ret = -ERANGE;
	fdisk_unref_partition(now);
	fdisk_unref_partition(old);
	fdisk_unref_partition(pa);
	return ret;
}

/* First byte after all that partitions of this disk may use. */
static uint64_t usable_end(struct fdisk_context *cxt)
{
	return (fdisk_get_last_lba(cxt) + 1) * fdisk_get_sector_size(cxt);
}

/**
 * dimg_ptable_size - the size of the last partition when it reaches the end
 * @end: first byte that is not usable
 *
 * Ends at a whole MiB, as partitioning programs do, but loses nothing that the
 * partition has already.
 */
uint64_t dimg_ptable_size(uint64_t start, uint64_t old, uint64_t end)
{
	uint64_t aligned = end - end % ALIGNMENT;

	if (aligned <= start || (aligned - start < old && end - start >= old))
		return end > start ? (end - start < old ? end - start : old) : 0;
	return aligned - start;
}

/* dimg_ptable_size_smaller - the same on a smaller disk: it never grows there */
uint64_t dimg_ptable_size_smaller(uint64_t start, uint64_t old, uint64_t end)
{
	uint64_t size = dimg_ptable_size(start, old, end);

	return size < old ? size : old;
}

/* All that there is for the last partition, as far as an MBR can count. */
static uint64_t largest(struct fdisk_context *cxt, const char *path,
			uint64_t start, uint64_t old)
{
	uint64_t size = dimg_ptable_size(start, old, usable_end(cxt));
	uint64_t max = (uint64_t)UINT32_MAX * fdisk_get_sector_size(cxt);

	if (!fdisk_is_label(cxt, DOS) || size <= max)
		return size;
	dimg_say(path, "note: a partition of an MBR has no more than %llu bytes; the rest stays unused",
		 (unsigned long long)max);
	max -= max % ALIGNMENT;
	return max > old ? max : old;
}

/**
 * dimg_ptable_is_gpt - is there a GPT, in either place?
 * @fd: an image or device; the second place is where it ends
 */
bool dimg_ptable_is_gpt(int fd, uint32_t sector_size)
{
	struct fdisk_context *cxt = open_context("disk", fd, sector_size);
	bool is_gpt = cxt && fdisk_is_label(cxt, GPT);

	if (cxt)
		close_context(cxt);
	return is_gpt;
}

/**
 * dimg_ptable_mend - write both copies of a GPT of which one is void
 * @fd: the image or its device, before its size changes
 * @mended: set to whether that was so
 *
 * The copy at the end is found at the end only: once the disk has become larger,
 * a table whose first copy is void is lost.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_ptable_mend(const char *path, int fd, uint32_t sector_size, bool *mended)
{
	struct fdisk_context *cxt = open_context(path, fd, sector_size);
	int ret = cxt ? 0 : -errno;

	/* libfdisk counts what it had to take from the other copy as a change */
	*mended = cxt && fdisk_is_label(cxt, GPT) &&
		  fdisk_label_is_changed(fdisk_get_label(cxt, NULL));
	if (*mended)
		ret = fdisk_write_disklabel(cxt);
	if (*mended && !ret && fsync(fd))
		ret = -errno;
	if (cxt)
		close_context(cxt);
	return ret ? fail_table(path, ret, "the partition table cannot be mended") : 0;
}

/**
 * dimg_ptable_set - rewrite the table of a disk whose size has changed
 * @path: for messages
 * @fd: the image, or its device: then the kernel's partitions change, too
 * @part: the last partition; its size is set. With @part->size 0 it takes all
 *	that there is, and the member is set to that.
 *
 * The backup of a GPT moves to the end of the disk.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_ptable_set(const char *path, int fd, uint32_t sector_size,
		    struct dimg_partition *part, uint64_t old_size)
{
	struct fdisk_context *cxt = open_context(path, fd, sector_size);
	struct fdisk_table *before = NULL;
	struct stat st;
	int ret;

	if (!cxt)
		return fail_table(path, -errno, "the partition table cannot be changed");
	ret = fdisk_has_label(cxt) ? fdisk_get_partitions(cxt, &before) : -EINVAL;
	if (!part->size)
		part->size = largest(cxt, path, part->start, old_size);
	if (!ret)
		ret = set_size(cxt, part->nr, part->start, part->size);
	if (!ret)
		ret = fdisk_write_disklabel(cxt);
	if (!ret && fsync(fd))
		ret = -errno;
	if (!ret && !fstat(fd, &st) && S_ISBLK(st.st_mode))
		ret = fdisk_reread_changes(cxt, before);
	fdisk_unref_table(before);
	close_context(cxt);
	return ret ? fail_table(path, ret, "the partition table cannot be changed") : 0;
}

/* What @from has, made anew for the disk @to of another size; 0 or -errno. */
static int rebuild(struct fdisk_context *from, struct fdisk_context *to,
		   struct dimg_partition *part, uint64_t old_size)
{
	struct fdisk_partition *last;
	struct fdisk_table *tb = NULL;
	char *id = NULL;
	int ret;

	ret = fdisk_get_partitions(from, &tb);
	if (!ret)
		ret = fdisk_get_disklabel_id(from, &id);
	if (!ret)
		ret = fdisk_create_disklabel(to, "gpt");
	if (!ret)
		ret = fdisk_set_disklabel_id_from_string(to, id);
	if (!ret && fdisk_get_npartitions(from) != fdisk_get_npartitions(to))
		ret = fdisk_gpt_set_npartitions(to, fdisk_get_npartitions(from));
	last = ret ? NULL : fdisk_table_get_partition_by_partno(tb, part->nr - 1);
	if (last) {
		part->size = dimg_ptable_size_smaller(part->start, old_size,
						      usable_end(to));
		fdisk_partition_set_size(last, part->size / fdisk_get_sector_size(to));
	}
	if (!ret)
		ret = last && part->size ? fdisk_apply_table(to, tb) : -ENOSPC;
	if (!ret)
		ret = fdisk_write_disklabel(to);
	free(id);
	fdisk_unref_table(tb);
	return ret;
}

/* Where the entries of a GPT begin, in sectors; 0 if that is not known. */
static uint64_t entries_lba(struct fdisk_context *cxt)
{
	struct fdisk_labelitem *item = fdisk_new_labelitem();
	uint64_t lba = 0;

	if (!item || fdisk_get_disklabel_item(cxt, GPT_LABELITEM_ENTRIESLBA, item) ||
	    fdisk_labelitem_get_data_u64(item, &lba))
		lba = 0;
	fdisk_unref_labelitem(item);
	return lba;
}

/**
 * dimg_ptable_draft - a GPT for a smaller disk, in memory
 * @fd: the disk as it is
 * @draft: a sparse file of the new size; the table is written to it
 * @part: the last partition; its size is set to what it will have
 *
 * A GPT that reaches past the end of its disk is void to the kernel and to
 * libfdisk: the new one must be in place before the disk becomes smaller.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_ptable_draft(const char *path, int fd, int draft, uint32_t sector_size,
		      struct dimg_partition *part, uint64_t old_size)
{
	struct fdisk_context *from = open_context(path, fd, sector_size);
	struct fdisk_context *to = from ? open_context("draft", draft, sector_size) : NULL;
	bool usual = to && entries_lba(from) == ENTRIES_LBA;
	int ret = !to ? -errno : usual ? rebuild(from, to, part, old_size) : 0;

	if (to)
		close_context(to);
	if (from)
		close_context(from);
	if (!ret && !usual) {
		/* what is in the usual place is not known, and would be lost */
		dimg_say(path, "the entries of its GPT are not in their usual place, sector %d; its disk is not made smaller\n"
			 "Move them there: \"sgdisk -j %d FILE\".", ENTRIES_LBA, ENTRIES_LBA);
		return DIMG_EXIT_REFUSED;
	}
	return !ret ? 0 :
		fail_table(path, ret, "no partition table can be made for the smaller size");
}

static int copy_range(int from, int to, uint64_t pos, size_t len)
{
	char *buf = malloc(len);
	ssize_t n = -1;
	int ret;

	if (buf)
		n = pread(from, buf, len, pos);
	if (n == (ssize_t)len)
		n = pwrite(to, buf, len, pos);
	/* a short one sets no errno */
	ret = n == (ssize_t)len ? 0 : n < 0 ? -errno : -EIO;
	free(buf);
	return ret;
}

/**
 * dimg_ptable_put - write a drafted GPT to its disk, which is still larger
 * @size: of the disk to be
 *
 * The backup goes first: at any moment one of the two is whole.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_ptable_put(const char *path, int fd, int draft, uint32_t sector_size,
		    uint64_t size)
{
	struct fdisk_context *cxt = open_context("draft", draft, sector_size);
	size_t entries, len;
	int ret;

	if (!cxt)
		return fail_table(path, -errno, "the partition table cannot be changed");
	/* a header, and entries of 128 bytes */
	entries = fdisk_get_npartitions(cxt) * 128;
	len = sector_size + (entries + sector_size - 1) / sector_size * sector_size;
	close_context(cxt);
	ret = copy_range(draft, fd, size - len, len);
	if (!ret && fsync(fd))
		ret = -errno;
	if (!ret)
		ret = copy_range(draft, fd, sector_size, len);
	if (!ret && fsync(fd))
		ret = -errno;
	return ret ? fail_table(path, ret, "the partition table cannot be changed") : 0;
}

/**
 * dimg_ptable_tell - let the kernel know the new size of a partition
 * @fd: the device
 *
 * It may be in use. A partition that the kernel does not know yet is added: the
 * kernel takes no GPT from the backup, as whoever mended the table has done.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_ptable_tell(const char *path, int fd, const struct dimg_partition *part)
{
	struct blkpg_partition p = {
		.pno = part->nr, .start = part->start, .length = part->size,
	};
	struct blkpg_ioctl_arg arg = {
		.op = BLKPG_RESIZE_PARTITION, .datalen = sizeof(p), .data = &p,
	};

	if (!ioctl(fd, BLKPG, &arg))
		return 0;
	arg.op = BLKPG_ADD_PARTITION;
	if (errno == ENXIO && !ioctl(fd, BLKPG, &arg))
		return 0;
	return fail_table(path, -errno, "the kernel does not take the new size of the partition");
}
