/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Geometry: where the device lies in its backing file, in numbers only.
 *
 * No kernel call and no kernel type beyond the fixed-size integers, so that
 * the same source is compiled in userspace by selftests/unit.
 */
#ifndef _DIMGBLK_GEOMETRY_H
#define _DIMGBLK_GEOMETRY_H

#include <linux/types.h>

/**
 * struct dimgblk_geometry - the window of a device in its backing file
 * @offset: first byte of the device in the backing file, bytes
 * @size_limit: most bytes of the backing file to use, 0 is to its end
 * @logical_block_size: addressing unit, bytes, a power of two
 *
 * Set at attach, constant afterwards.  The size in effect is not here: it
 * changes with the backing file.
 */
struct dimgblk_geometry {
	__u64 offset;
	__u64 size_limit;
	__u32 logical_block_size;
};

bool dimgblk_geometry_block_size_valid(__u32 size, __u32 page_size);
int dimgblk_geometry_check(const struct dimgblk_geometry *geometry);
__u64 dimgblk_geometry_size(const struct dimgblk_geometry *geometry,
			    __u64 file_size);
bool dimgblk_geometry_map(__u64 offset, __u64 size, __u64 sector, __u32 len,
			  __u64 *pos);
bool dimgblk_geometry_overlap(__u64 a_start, __u64 a_size, __u64 b_start,
			      __u64 b_size);

#endif /* _DIMGBLK_GEOMETRY_H */
