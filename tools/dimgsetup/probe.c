// SPDX-License-Identifier: GPL-2.0
/*
 * probe.c - owns what the bytes of an image mean: file system, partition table,
 * partitions, sector size. The only user of libblkid.
 *
 * Everything is read through a descriptor, so it can be asked before a device
 * exists, and about a window of the image. Nothing is printed.
 */
#include <blkid/blkid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

/* libblkid counts in these, whatever the sector size of the table is. */
#define BLKID_SECTOR		512ULL

/* libblkid wants to know the size; 0 is to the end of what is open. */
static blkid_probe new_probe(int fd, uint64_t offset, uint64_t size)
{
	blkid_probe pr = blkid_new_probe();

	if (pr && blkid_probe_set_device(pr, fd, offset, size)) {
		blkid_free_probe(pr);
		pr = NULL;
	}
	if (pr)
		blkid_probe_enable_superblocks(pr, false);
	return pr;
}

/* The library's functions do not promise an errno. */
static int probe_error(void)
{
	return errno > 0 ? -errno : -EIO;
}

/* A value that was found, copied; NULL if it was not. */
static int copy_value(blkid_probe pr, const char *name, char **to)
{
	const char *value;

	if (blkid_probe_lookup_value(pr, name, &value, NULL) || !*value)
		return 0;
	*to = strdup(value);
	return *to ? 0 : -ENOMEM;
}

static int copy_values(blkid_probe pr, struct dimg_probe *p)
{
	int ret = copy_value(pr, "TYPE", &p->type);

	if (!ret)
		ret = copy_value(pr, "USAGE", &p->usage);
	if (!ret)
		ret = copy_value(pr, "LABEL", &p->label);
	if (!ret)
		ret = copy_value(pr, "UUID", &p->uuid);
	if (!ret)
		ret = copy_value(pr, "PTTYPE", &p->pttype);
	return ret;
}

/**
 * dimg_probe - what lies in a window of an image
 * @offset: first byte of the window
 * @size: its bytes; 0 is to the end
 * @p: filled in, also when nothing was found; give it to dimg_probe_free()
 *
 * Return: 0, or -errno if the image cannot be read.
 */
int dimg_probe(int fd, uint64_t offset, uint64_t size, struct dimg_probe *p)
{
	blkid_probe pr;
	int ret;

	memset(p, 0, sizeof(*p));
	errno = 0;
	pr = new_probe(fd, offset, size);
	if (!pr)
		return probe_error();
	blkid_probe_enable_superblocks(pr, true);
	blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_TYPE |
					  BLKID_SUBLKS_USAGE |
					  BLKID_SUBLKS_LABEL |
					  BLKID_SUBLKS_UUID |
					  BLKID_SUBLKS_BADCSUM);
	blkid_probe_enable_partitions(pr, true);
	switch (blkid_do_safeprobe(pr)) {
	case 0:
		ret = copy_values(pr, p);
		p->damaged = blkid_probe_has_value(pr, "SBBADCSUM");
		break;
	case 1:
		ret = 0;
		break;
	case -2:
		p->ambivalent = true;
		ret = 0;
		break;
	default:
		ret = probe_error();
	}
	blkid_free_probe(pr);
	if (ret)
		dimg_probe_free(p);
	return ret;
}

void dimg_probe_free(struct dimg_probe *p)
{
	free(p->type);
	free(p->usage);
	free(p->label);
	free(p->uuid);
	free(p->pttype);
	memset(p, 0, sizeof(*p));
}

/* Does a GPT for sectors of @bytes begin at @offset? 1 yes, 0 no, or -errno. */
static int is_gpt(int fd, uint64_t offset, uint32_t bytes)
{
	char gpt[] = "gpt", *types[2] = { gpt, NULL };
	const char *found;
	blkid_probe pr;
	int ret;

	errno = 0;
	pr = new_probe(fd, offset, 0);
	if (!pr)
		return probe_error();
	blkid_probe_set_sectorsize(pr, bytes);
	blkid_probe_enable_partitions(pr, true);
	blkid_probe_filter_partitions_type(pr, BLKID_FLTR_ONLYIN, types);
	ret = blkid_do_probe(pr);
	if (ret < 0)
		ret = probe_error();
	else
		ret = !ret && !blkid_probe_lookup_value(pr, "PTTYPE", &found,
							NULL);
	blkid_free_probe(pr);
	return ret;
}

/**
 * dimg_probe_sector_size - the sector size that a GPT was made for
 * @offset: where the disk begins in the image
 * @bytes: set: 512, 1024, 2048 or 4096; 0 if there is no GPT
 *
 * The header is in the second sector, so where it lies tells the size of one.
 *
 * Return: 0, or -errno if the image cannot be read.
 */
int dimg_probe_sector_size(int fd, uint64_t offset, uint32_t *bytes)
{
	uint32_t size;
	int ret;

	*bytes = 0;
	for (size = 512; size <= 4096; size *= 2) {
		ret = is_gpt(fd, offset, size);
		if (ret < 0)
			return ret;
		if (!ret)
			continue;
		*bytes = size;
		break;
	}
	return 0;
}

static int copy_text(const char *text, char **to)
{
	*to = text && *text ? strdup(text) : NULL;
	return text && *text && !*to ? -ENOMEM : 0;
}

static int copy_partition(blkid_partition par, struct dimg_partition *to)
{
	int ret;

	to->nr = blkid_partition_get_partno(par);
	to->start = blkid_partition_get_start(par) * BLKID_SECTOR;
	to->size = blkid_partition_get_size(par) * BLKID_SECTOR;
	to->container = blkid_partition_is_extended(par);
	ret = copy_text(blkid_partition_get_name(par), &to->name);
	if (!ret)
		ret = copy_text(blkid_partition_get_uuid(par), &to->uuid);
	if (ret)
		return ret;
	if (blkid_partition_get_type_string(par))
		return copy_text(blkid_partition_get_type_string(par),
				 &to->type);
	return asprintf(&to->type, "0x%x", blkid_partition_get_type(par)) < 0 ?
		-ENOMEM : 0;
}

static int copy_partitions(blkid_partlist list, struct dimg_partitions *parts)
{
	int n = blkid_partlist_numof_partitions(list), i, ret;

	parts->v = calloc(n + 1, sizeof(*parts->v));
	if (!parts->v)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		parts->n++;
		ret = copy_partition(blkid_partlist_get_partition(list, i),
				     &parts->v[i]);
		if (ret)
			return ret;
	}
	return 0;
}

/**
 * dimg_probe_partitions - read the partition table of a disk image
 * @sector_size: what the table counts in; that of dimg_probe_sector_size() for
 *	a GPT. An MBR does not tell: 512 unless the user knows better.
 * @parts: filled in, logical partitions too, with numbers as the kernel's;
 *	give it to dimg_partitions_free()
 *
 * Return: 0, -ENODATA if there is no partition table, or -errno.
 */
int dimg_probe_partitions(int fd, uint32_t sector_size,
			  struct dimg_partitions *parts)
{
	blkid_partlist list;
	blkid_probe pr;
	int ret;

	memset(parts, 0, sizeof(*parts));
	errno = 0;
	pr = new_probe(fd, 0, 0);
	if (!pr)
		return probe_error();
	blkid_probe_set_sectorsize(pr, sector_size);
	blkid_probe_enable_partitions(pr, true);
	blkid_probe_set_partitions_flags(pr, BLKID_PARTS_ENTRY_DETAILS);
	list = blkid_probe_get_partitions(pr);
	if (list)
		ret = copy_partitions(list, parts);
	else
		ret = errno ? -errno : -ENODATA;
	blkid_free_probe(pr);
	if (ret)
		dimg_partitions_free(parts);
	return ret;
}

void dimg_partitions_free(struct dimg_partitions *parts)
{
	size_t i;

	for (i = 0; i < parts->n; i++) {
		free(parts->v[i].name);
		free(parts->v[i].uuid);
		free(parts->v[i].type);
	}
	free(parts->v);
	memset(parts, 0, sizeof(*parts));
}
