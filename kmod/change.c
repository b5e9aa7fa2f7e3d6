// SPDX-License-Identifier: GPL-2.0
/*
 * Change: what can be changed about a live device.
 *
 * Owns its capacity and the switch between direct and buffered I/O.  Everything
 * else is settled at attach for good.  See dimgblk.h for the locks.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/sched/mm.h>

#include "dimgblk.h"

/**
 * dimgblk_change_catch_up() - let the capacity grow if the backing file has grown
 * @dev: device; others than those that follow their file are left alone
 *
 * Does not ask the file system: an open must not wait for it, and for a file that
 * grew on this machine there is nothing to ask.
 *
 * Context: under disk->open_mutex.
 */
void dimgblk_change_catch_up(struct dimgblk_device *dev)
{
	struct netlink_ext_ack extack = { };
	u64 size;

	lockdep_assert_held(&dev->disk->open_mutex);
	if (!(dev->flags & DIMGBLK_FLAG_FOLLOW) ||
	    dev->state != DIMGBLK_LIVE || READ_ONCE(dev->fail_io))
		return;
	size = dimgblk_geometry_size(&dev->geometry,
				     dimgblk_registry_file_size(dev));
	if (size <= atomic64_read(&dev->size))
		return;
	if (dimgblk_registry_grow(dev, size, &extack)) {
		pr_warn_ratelimited("dimgblk%u: cannot follow its backing file: %s\n",
				    dev->index, extack._msg);
		return;
	}
	set_capacity_and_notify(dev->disk, size >> SECTOR_SHIFT);
	dimgblk_event(dev, DIMGBLK_EVENT_RESIZE);
}

/**
 * dimgblk_change_follow() - dimgblk_change_catch_up() for those without the lock
 * @dev: device, with a reference of the caller
 *
 * Context: process context, without locks.
 *
 * Return: 0; -ETIMEDOUT or -EINTR when somebody holds the lock: look again.
 */
int dimgblk_change_follow(struct dimgblk_device *dev)
{
	struct netlink_ext_ack extack = { };
	int err;

	if (!(dev->flags & DIMGBLK_FLAG_FOLLOW))
		return 0;
	err = dimgblk_device_lock(&dev->disk->open_mutex, &extack);
	if (err)
		return err;
	dimgblk_change_catch_up(dev);
	mutex_unlock(&dev->disk->open_mutex);
	return 0;
}

/* What is being detached is not changed any more. */
static int dimgblk_change_check(struct dimgblk_device *dev,
				struct netlink_ext_ack *extack)
{
	if (dimgblk_device_public_state(dev) == DIMGBLK_STATE_LIVE)
		return 0;
	NL_SET_ERR_MSG(extack, "the device is being detached");
	return -ENODEV;
}

/* Set capacity and size to @size bytes, unless a detach has begun. */
static int dimgblk_change_set_size(struct dimgblk_device *dev, u64 size,
				   struct netlink_ext_ack *extack)
{
	struct gendisk *disk = dev->disk;
	int err;

	err = dimgblk_device_lock(&disk->open_mutex, extack);
	if (err)
		return err;
	err = dimgblk_change_check(dev, extack);
	if (err)
		goto out_unlock;
	/* It may have been measured before the file grew, and been told so. */
	if (dev->flags & DIMGBLK_FLAG_FOLLOW)
		size = max(size, dimgblk_geometry_size(&dev->geometry,
						       dimgblk_registry_file_size(dev)));
	/* First the bound for requests, then their invitation. */
	err = dimgblk_registry_grow(dev, size, extack);
	if (err)
		goto out_unlock;
	set_capacity_and_notify(disk, size >> SECTOR_SHIFT);
	dimgblk_event(dev, DIMGBLK_EVENT_RESIZE);
out_unlock:
	mutex_unlock(&disk->open_mutex);
	return err;
}

/**
 * dimgblk_change_resize() - take the capacity from the backing file again
 * @dev: device, with a reference of the caller
 * @extack: gets the reason of a refusal
 *
 * Context: process context, without locks; calls into the file system.
 *
 * Return: 0; -ERANGE when no logical block is left; -EBUSY when the new range
 * overlaps that of another device; -ENODEV when it is being detached; -ETIMEDOUT
 * when somebody else waits for the backing file; or an errno of the file system.
 */
int dimgblk_change_resize(struct dimgblk_device *dev,
			  struct netlink_ext_ack *extack)
{
	u64 file_size, size, old_size;
	struct file *file;
	int err;

	err = dimgblk_device_lock(&dev->config_mutex, extack);
	if (err)
		return err;
	err = dimgblk_change_check(dev, extack);
	if (err)
		goto out_unlock;
	/* Not before: it keeps the file system below busy. */
	file = dimgblk_registry_get_file(dev);
	if (!file) {
		NL_SET_ERR_MSG(extack, "the device is being detached");
		err = -ENODEV;
		goto out_unlock;
	}
	err = dimgblk_backing_size(file, &file_size);
	if (err)
		goto out_put_file;
	size = dimgblk_geometry_size(&dev->geometry, file_size);
	if (!size) {
		NL_SET_ERR_MSG_FMT(extack,
				   "no block of %u bytes from offset %llu in a file of %llu",
				   dev->geometry.logical_block_size,
				   dev->geometry.offset, file_size);
		err = -ERANGE;
		goto out_put_file;
	}
	old_size = atomic64_read(&dev->size);
	if (size == old_size)
		goto out_put_file;
	err = dimgblk_change_set_size(dev, size, extack);
out_put_file:
	fput(file);
out_unlock:
	mutex_unlock(&dev->config_mutex);
	/* The file may have grown beyond what was measured above. */
	dimgblk_change_follow(dev);
	return err;
}

/*
 * Wait for the requests of a frozen queue; not for ever, as a hung backing file ends
 * none, and no longer than until somebody wants to get rid of the device.
 */
static int dimgblk_change_wait_frozen(struct dimgblk_device *dev,
				      struct netlink_ext_ack *extack)
{
	unsigned long end = jiffies + DIMGBLK_REQUEST_WAIT;

	while (!blk_mq_freeze_queue_wait_timeout(dev->disk->queue, HZ / 10)) {
		if (test_bit(0, &dev->detach_begun)) {
			NL_SET_ERR_MSG(extack, "the device is being detached");
			return -ENODEV;
		}
		if (time_after(jiffies, end)) {
			NL_SET_ERR_MSG(extack,
				       "the backing file does not answer; nothing was changed");
			return -ETIMEDOUT;
		}
	}
	return 0;
}

/**
 * dimgblk_change_drop_pages() - forget cached pages at the end of direct I/O
 * @dev: device; one with buffered I/O, or that has dropped its file, is left alone
 *
 * To be called when its last request has ended, and before others may use its range.
 *
 * Context: process context; may sleep, but waits for no I/O.
 */
void dimgblk_change_drop_pages(struct dimgblk_device *dev)
{
	struct file *file;

	if (!READ_ONCE(dev->direct_in_use))
		return;
	file = dimgblk_registry_get_file(dev);
	if (!file)
		return;
	dimgblk_backing_drop_pages(&dev->backing, file);
	/* Of a detach not the last one, which would come late: it has yet to take the file. */
	fput(file);
}

/*
 * Between requests.  What is dirty in the page cache needs no sync: direct I/O writes
 * back the pages that it meets.
 */
static int dimgblk_change_switch_direct(struct dimgblk_device *dev, bool in_use,
					struct netlink_ext_ack *extack)
{
	struct request_queue *q = dev->disk->queue;
	unsigned int memflags;
	int err;

	mutex_lock(&dev->freeze_mutex);
	if (test_bit(0, &dev->detach_begun)) {
		NL_SET_ERR_MSG(extack, "the device is being detached");
		err = -ENODEV;
		goto out_unlock;
	}
	memflags = memalloc_noio_save();
	blk_freeze_queue_start(q);
	err = dimgblk_change_wait_frozen(dev, extack);
	if (!err && !in_use)
		dimgblk_change_drop_pages(dev);
	if (!err)
		err = dimgblk_registry_set_direct(dev, in_use, extack);
	blk_mq_unfreeze_queue(q, memflags);	/* restores memflags */
out_unlock:
	mutex_unlock(&dev->freeze_mutex);
	return err;
}

/**
 * dimgblk_change_direct() - switch direct I/O
 * @dev: device, with a reference of the caller
 * @direct: DIMGBLK_DIRECT_*
 * @extack: gets the reason of a refusal
 *
 * No request is served both ways: a page that is read for a buffered write while
 * a direct write to its other half is under way would undo the latter.
 *
 * Context: process context, without locks; waits for requests.
 *
 * Return: 0; -EINVAL when direct I/O is insisted on and cannot be had; -EBUSY
 * when another device uses bytes in the same page of the file in the other mode;
 * -ETIMEDOUT when requests did not end in time, or somebody else waits for the
 * backing file; -ENODEV when it is being detached;
 * -EINTR when killed.
 */
int dimgblk_change_direct(struct dimgblk_device *dev, u32 direct,
			  struct netlink_ext_ack *extack)
{
	const char *reason;
	bool in_use;
	int err;

	err = dimgblk_device_lock(&dev->config_mutex, extack);
	if (err)
		return err;
	err = dimgblk_change_check(dev, extack);
	if (err)
		goto out_unlock;
	err = dimgblk_plan_direct(dev, direct, &in_use, &reason, extack);
	if (err)
		goto out_unlock;
	if (direct == dev->direct)
		goto out_unlock;
	if (in_use != dev->direct_in_use)
		err = dimgblk_change_switch_direct(dev, in_use, extack);
	if (err)
		goto out_unlock;
	WRITE_ONCE(dev->direct, direct);
	WRITE_ONCE(dev->direct_reason, reason);
	dimgblk_event(dev, DIMGBLK_EVENT_SETTINGS);
out_unlock:
	mutex_unlock(&dev->config_mutex);
	return err;
}
