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
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dimgsetup.h"

#define GUID_LINUX	"0FC63DAF-8483-4772-8E79-3D69D8477DE4"
/* What other systems expect a FAT in */
#define GUID_BASIC_DATA	"EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
#define ALIGNMENT	(1 << 20)

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
