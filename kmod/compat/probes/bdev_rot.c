// SPDX-License-Identifier: GPL-2.0
/*
 * The question is bdev_rot(), not bdev_nonrot().
 *
 * Read in Linux 7.3; the other way round in Linux 6.1 and 6.12.
 */

#include <linux/blkdev.h>

bool probe(struct block_device *bdev);
bool probe(struct block_device *bdev)
{
	return bdev_rot(bdev);
}
