// SPDX-License-Identifier: GPL-2.0
/*
 * ->open of block_device_operations takes (gendisk, blk_mode_t).
 *
 * Linux 6.5, commit d32e2bf83791 ("block: pass a gendisk to ->open") and commit
 * 05bdb9965305 ("block: replace fmode_t with a block-specific type for block
 * open flags").
 */

#include <linux/blkdev.h>

static int probe_open(struct gendisk *disk, blk_mode_t mode)
{
	return mode & BLK_OPEN_EXCL ? 0 : 1;
}

extern const struct block_device_operations probe;
const struct block_device_operations probe = { .open = probe_open };
