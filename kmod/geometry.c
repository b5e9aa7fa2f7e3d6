// SPDX-License-Identifier: GPL-2.0
/*
 * Geometry: sectors of the device to byte positions of the backing file.
 *
 * Owns every computation with an offset, a size or a limit that a user chose,
 * so that no overflow has to be looked for anywhere else.  Pure arithmetic: see
 * geometry.h.  Read queue.c next to see who asks.
 */

#include <linux/errno.h>

#include "geometry.h"

#define GEOMETRY_SECTOR_SHIFT	9
#define GEOMETRY_SECTOR_SIZE	(1U << GEOMETRY_SECTOR_SHIFT)
/* Positions in a file are signed in the kernel (loff_t). */
#define GEOMETRY_POS_MAX	((__u64)0x7fffffffffffffffULL)

/**
 * dimgblk_geometry_block_size_valid() - may this be a logical block size?
 * @size: wanted logical block size, bytes
 * @page_size: page size of the machine, bytes; the block layer of Linux 6.1
 *	has no larger blocks, and the answer shall not depend on the kernel
 *
 * Return: true for a power of two from 512 to @page_size.
 */
bool dimgblk_geometry_block_size_valid(__u32 size, __u32 page_size)
{
	return size >= GEOMETRY_SECTOR_SIZE && size <= page_size &&
	       (size & (size - 1)) == 0;
}

/**
 * dimgblk_geometry_check() - can this window exist in any file?
 * @geometry: window to check; its logical block size must be valid
 *
 * Return: 0; -EOVERFLOW when the offset, the size limit or their sum is no
 * position in a file; -EINVAL when one of them is not a multiple of the
 * logical block size.
 */
int dimgblk_geometry_check(const struct dimgblk_geometry *geometry)
{
	__u64 mask = geometry->logical_block_size - 1;

	if (geometry->offset > GEOMETRY_POS_MAX ||
	    geometry->size_limit > GEOMETRY_POS_MAX - geometry->offset)
		return -EOVERFLOW;
	if ((geometry->offset | geometry->size_limit) & mask)
		return -EINVAL;
	return 0;
}

/**
 * dimgblk_geometry_size() - size of the device on a file of this size
 * @geometry: a window that passed dimgblk_geometry_check()
 * @file_size: size of the backing file, bytes
 *
 * Return: bytes from the offset to the end of the file, at most the size limit,
 * rounded down to whole logical blocks; 0 when there is no whole block.
 */
__u64 dimgblk_geometry_size(const struct dimgblk_geometry *geometry,
			    __u64 file_size)
{
	__u64 size;

	if (file_size > GEOMETRY_POS_MAX)
		file_size = GEOMETRY_POS_MAX;
	if (file_size <= geometry->offset)
		return 0;
	size = file_size - geometry->offset;
	if (geometry->size_limit && size > geometry->size_limit)
		size = geometry->size_limit;
	return size & ~((__u64)geometry->logical_block_size - 1);
}

/**
 * dimgblk_geometry_map() - where in the backing file do these sectors lie?
 * @offset: first byte of the device in the backing file, bytes
 * @size: size of the device, bytes; @offset + @size is a position in a file
 * @sector: first 512-byte sector on the device
 * @len: length, bytes
 * @pos: set to the byte position in the backing file
 *
 * The one place that keeps every request inside [@offset, @offset + @size).
 *
 * Return: true, or false, with @pos untouched, when a byte lies outside.
 */
bool dimgblk_geometry_map(__u64 offset, __u64 size, __u64 sector, __u32 len,
			  __u64 *pos)
{
	__u64 start;

	if (sector > (GEOMETRY_POS_MAX >> GEOMETRY_SECTOR_SHIFT))
		return false;
	start = sector << GEOMETRY_SECTOR_SHIFT;
	if (start > size || len > size - start)
		return false;
	*pos = offset + start;
	return true;
}

/**
 * dimgblk_geometry_overlap() - do two ranges of bytes share one?
 * @a_start: first byte of the first range
 * @a_size: length of the first range, bytes
 * @b_start: first byte of the second range
 * @b_size: length of the second range, bytes
 *
 * Neither range may reach beyond the largest position in a file.
 *
 * Return: true when a byte belongs to both; an empty range has none.
 */
bool dimgblk_geometry_overlap(__u64 a_start, __u64 a_size, __u64 b_start,
			      __u64 b_size)
{
	return a_size && b_size && a_start < b_start + b_size &&
	       b_start < a_start + a_size;
}
