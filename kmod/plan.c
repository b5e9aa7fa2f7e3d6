// SPDX-License-Identifier: GPL-2.0
/*
 * Plan: may this device be, and what will it be like?
 *
 * Owns the judgement of settings, first alone, then against the backing file.
 * Every refusal names the value and the limit; nothing is changed but the device
 * that is being planned.
 */

#include <linux/ctype.h>
#include <linux/string.h>

#include "dimgblk.h"

/**
 * dimgblk_plan_blame() - point at the attribute that is to be changed
 * @config: what was asked for
 * @attr: DIMGBLK_A_*; nothing happens if the request has no such attribute
 * @extack: where the reason of the refusal is
 */
void dimgblk_plan_blame(const struct dimgblk_config *config, int attr,
			struct netlink_ext_ack *extack)
{
	NL_SET_BAD_ATTR(extack, config->attrs[attr]);
}

/* A name may appear in paths, and must never be taken for a node. */
static int dimgblk_plan_check_name(const char *name,
				   struct netlink_ext_ack *extack)
{
	const char *c;

	if (!name[0])
		return 0;
	for (c = name; *c; c++)
		if (!isascii(*c) || (!isalnum(*c) && !strchr("_.:+-", *c)))
			break;
	if (*c || name[0] == '.' || name[0] == '-') {
		NL_SET_ERR_MSG(extack,
			       "the name must consist of letters, digits and _ . : + - and not begin with . or -");
		return -EINVAL;
	}
	if (!strncmp(name, "dimgblk", 7) && isdigit(name[7])) {
		NL_SET_ERR_MSG(extack,
			       "the name looks like that of a node: choose one that does not begin with dimgblk and a digit");
		return -EINVAL;
	}
	return 0;
}

/**
 * dimgblk_plan_check_config() - judge what needs no backing file to be judged
 * @config: what is wanted
 * @extack: gets the reason of a refusal
 *
 * Return: 0; -ERANGE for an index, a number of queues or a depth beyond the
 * limit; -EINVAL for a bad name or logical block size.
 */
int dimgblk_plan_check_config(const struct dimgblk_config *config,
			      struct netlink_ext_ack *extack)
{
	u32 block_size = config->geometry.logical_block_size;
	int err;

	if (!config->any_index && config->index > DIMGBLK_MAX_INDEX) {
		NL_SET_ERR_MSG_FMT(extack, "index %u is larger than %u",
				   config->index, DIMGBLK_MAX_INDEX);
		dimgblk_plan_blame(config, DIMGBLK_A_INDEX, extack);
		return -ERANGE;
	}
	if (block_size &&
	    !dimgblk_geometry_block_size_valid(block_size, PAGE_SIZE)) {
		NL_SET_ERR_MSG_FMT(extack,
				   "logical block size %u is no power of two from 512 to %lu",
				   block_size, PAGE_SIZE);
		dimgblk_plan_blame(config, DIMGBLK_A_LOGICAL_BLOCK_SIZE, extack);
		return -EINVAL;
	}
	if (config->nr_hw_queues > num_possible_cpus()) {
		NL_SET_ERR_MSG_FMT(extack,
				   "%u hardware queues are more than the %u possible CPUs",
				   config->nr_hw_queues, num_possible_cpus());
		dimgblk_plan_blame(config, DIMGBLK_A_NR_HW_QUEUES, extack);
		return -ERANGE;
	}
	if (config->queue_depth > DIMGBLK_QUEUE_DEPTH_MAX) {
		NL_SET_ERR_MSG_FMT(extack, "queue depth %u is larger than %u",
				   config->queue_depth,
				   DIMGBLK_QUEUE_DEPTH_MAX);
		dimgblk_plan_blame(config, DIMGBLK_A_QUEUE_DEPTH, extack);
		return -ERANGE;
	}
	err = dimgblk_plan_check_name(config->name, extack);
	if (err)
		dimgblk_plan_blame(config, DIMGBLK_A_NAME, extack);
	return err;
}

/* Choose or check the logical block size against what the backing file needs. */
static int dimgblk_plan_block_size(struct dimgblk_device *dev,
				   const struct dimgblk_config *config,
				   struct netlink_ext_ack *extack)
{
	struct dimgblk_geometry *geometry = &dev->geometry;
	u32 least = dev->backing.block_size;

	if (!geometry->logical_block_size) {
		if (dev->direct == DIMGBLK_DIRECT_ON)
			least = max(least, dev->backing.dio_offset_align);
		geometry->logical_block_size = min_t(u32, least, PAGE_SIZE);
	}
	if (geometry->logical_block_size < least) {
		NL_SET_ERR_MSG_FMT(extack,
				   "logical block size %u is below the %u of the backing device",
				   geometry->logical_block_size, least);
		dimgblk_plan_blame(config, DIMGBLK_A_LOGICAL_BLOCK_SIZE, extack);
		return -EINVAL;
	}
	return 0;
}

static int dimgblk_plan_window(struct dimgblk_device *dev,
			       const struct dimgblk_config *config,
			       struct netlink_ext_ack *extack)
{
	const struct dimgblk_geometry *geometry = &dev->geometry;
	u64 file_size, size;
	int err;

	err = dimgblk_geometry_check(geometry);
	if (err == -EOVERFLOW) {
		NL_SET_ERR_MSG(extack,
			       "offset, size limit or their sum is beyond 9223372036854775807 bytes, the end of any file");
		dimgblk_plan_blame(config, geometry->offset > LLONG_MAX ?
				   DIMGBLK_A_OFFSET : DIMGBLK_A_SIZE_LIMIT,
				   extack);
		return err;
	}
	if (err) {
		dimgblk_plan_blame(config,
				   geometry->offset &
				   (geometry->logical_block_size - 1) ?
				   DIMGBLK_A_OFFSET : DIMGBLK_A_SIZE_LIMIT,
				   extack);
		NL_SET_ERR_MSG_FMT(extack,
				   "offset and size limit must be multiples of %u bytes",
				   geometry->logical_block_size);
		return err;
	}
	err = dimgblk_backing_size(dev->backing.file, &file_size);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "the size of the backing file cannot be had");
		return err;
	}
	size = dimgblk_geometry_size(geometry, file_size);
	if (!size) {
		NL_SET_ERR_MSG_FMT(extack,
				   "no block of %u bytes from offset %llu in a file of %llu",
				   geometry->logical_block_size,
				   geometry->offset, file_size);
		dimgblk_plan_blame(config, DIMGBLK_A_OFFSET, extack);
		return -ERANGE;
	}
	atomic64_set(&dev->size, size);
	return 0;
}

/**
 * dimgblk_plan_direct() - what a direct I/O mode means for this device
 * @dev: device with backing file and geometry
 * @direct: DIMGBLK_DIRECT_*
 * @in_use: set to whether requests shall bypass the page cache
 * @reason: set to why not, if it would have been welcome, or NULL
 * @extack: gets the reason of a refusal
 *
 * Return: 0, or -EINVAL when direct I/O is insisted on and cannot be had.
 */
int dimgblk_plan_direct(const struct dimgblk_device *dev, u32 direct,
			bool *in_use, const char **reason,
			struct netlink_ext_ack *extack)
{
	*in_use = false;
	*reason = NULL;
	if (direct == DIMGBLK_DIRECT_OFF)
		return 0;
	*reason = dimgblk_backing_no_direct(&dev->backing, &dev->geometry,
					    direct == DIMGBLK_DIRECT_AUTO);
	if (*reason && direct == DIMGBLK_DIRECT_ON) {
		extack->_msg = *reason;
		return -EINVAL;
	}
	*in_use = !*reason;
	return 0;
}

/* Images inside images end somewhere. */
static int dimgblk_plan_depth(struct dimgblk_device *dev,
			      struct netlink_ext_ack *extack)
{
	struct gendisk *lower = dimgblk_backing_disk(&dev->backing);

	dev->depth = 1;
	if (lower && lower->fops == &dimgblk_device_fops) {
		struct dimgblk_device *below = lower->private_data;

		dev->depth = below->depth + 1;
	}
	if (dev->depth > DIMGBLK_MAX_DEPTH) {
		NL_SET_ERR_MSG_FMT(extack,
				   "more than %d dimgblk devices on top of each other",
				   DIMGBLK_MAX_DEPTH);
		return -ELOOP;
	}
	return 0;
}

/**
 * dimgblk_plan_device() - settle everything that does not depend on other devices
 * @dev: device with backing file and with settings as they were asked for
 * @config: the same as it came
 * @extack: gets the reason of a refusal
 *
 * Context: process context; calls into the backing file system.
 *
 * Return: 0 with geometry, size, direct I/O and depth of @dev set; -EINVAL,
 * -EOVERFLOW or -ERANGE for a window or block size that cannot be; -ELOOP when
 * stacked too deep; or an errno of the file system.
 */
int dimgblk_plan_device(struct dimgblk_device *dev,
			const struct dimgblk_config *config,
			struct netlink_ext_ack *extack)
{
	int err;

	err = dimgblk_plan_block_size(dev, config, extack);
	if (err)
		return err;
	err = dimgblk_plan_window(dev, config, extack);
	if (err)
		return err;
	err = dimgblk_plan_direct(dev, dev->direct, &dev->direct_in_use,
				  &dev->direct_reason, extack);
	if (err) {
		dimgblk_plan_blame(config, DIMGBLK_A_DIRECT, extack);
		return err;
	}
	return dimgblk_plan_depth(dev, extack);
}
