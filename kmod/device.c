// SPDX-License-Identifier: GPL-2.0
/*
 * Device: the life of a device.
 *
 * Owns attach, detach, changes to a live device, and the opens and closes that
 * decide about detach.  Attach is a ladder that leaves nothing behind when a rung
 * breaks; detach_work is its mirror.  What is allowed is settled in plan.c.  See
 * dimgblk.h for locks and lifetimes.
 */

#include <linux/file.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dimgblk.h"

/* How long a netlink request waits for requests inside the backing file. */
#define DIMGBLK_REQUEST_WAIT	(5 * HZ)

/* Runs what nobody waits for; an item may wait for a hung backing file for ever. */
static struct workqueue_struct *dimgblk_device_wq;
/* Devices whose memory is not freed yet. */
static atomic_t dimgblk_device_count;
static DECLARE_WAIT_QUEUE_HEAD(dimgblk_device_gone);

/* The one place that changes the state. */
static void dimgblk_device_set_state(struct dimgblk_device *dev,
				     enum dimgblk_state state)
{
	lockdep_assert_held(&dev->disk->open_mutex);
	/* Pairs with READ_ONCE() in dimgblk_cmd_check() and for display. */
	WRITE_ONCE(dev->state, state);
}

/**
 * dimgblk_device_public_state() - the state as told to userspace
 * @dev: device
 *
 * Context: any, without locks: the answer may be old when it arrives.
 *
 * Return: DIMGBLK_STATE_*.
 */
enum dimgblk_device_state
dimgblk_device_public_state(const struct dimgblk_device *dev)
{
	if (READ_ONCE(dev->fail_io))
		return DIMGBLK_STATE_DEAD;
	switch (READ_ONCE(dev->state)) {
	case DIMGBLK_DETACHING:
		return DIMGBLK_STATE_DETACHING;
	case DIMGBLK_DEAD:
		return DIMGBLK_STATE_DEAD;
	default:
		return DIMGBLK_STATE_LIVE;
	}
}

static void dimgblk_device_free_rcu(struct rcu_head *rcu)
{
	kfree(container_of(rcu, struct dimgblk_device, rcu));
	if (atomic_dec_and_test(&dimgblk_device_count))
		wake_up(&dimgblk_device_gone);
}

static void dimgblk_device_release_ref(struct kref *ref)
{
	struct dimgblk_device *dev =
		container_of(ref, struct dimgblk_device, ref);

	/*
	 * The caller may be the block layer, inside ->free_disk, after the
	 * module could be unloaded: dimgblk_device_exit() waits for the count,
	 * and so for a grace period that began in here.
	 */
	call_rcu(&dev->rcu, dimgblk_device_free_rcu);
}

/**
 * dimgblk_device_release() - drop a reference on the memory of a device
 * @dev: device
 *
 * Context: any.
 */
void dimgblk_device_release(struct dimgblk_device *dev)
{
	kref_put(&dev->ref, dimgblk_device_release_ref);
}

/**
 * dimgblk_device_put() - give back what dimgblk_registry_get() gave
 * @dev: device
 *
 * Context: process context; may sleep.
 */
void dimgblk_device_put(struct dimgblk_device *dev)
{
	put_device(disk_to_dev(dev->disk));
}

/**
 * dimgblk_device_queue_work() - run something that may wait for a backing file
 * @work: work item; whoever queues it holds a reference for it
 *
 * Return: false when it was queued already.
 */
bool dimgblk_device_queue_work(struct work_struct *work)
{
	return queue_work(dimgblk_device_wq, work);
}

/*
 * Take the backing file away from the device, once, and sync it.  Return: the
 * file, whose reference is the caller's, or NULL.
 */
static struct file *dimgblk_device_take_file(struct dimgblk_device *dev)
{
	struct file *file;

	/* Its mark refers to the inode, which the file alone keeps in memory. */
	dimgblk_follow_stop(dev);
	file = dimgblk_registry_take_file(dev);
	if (file && !dev->backing.read_only)
		dev->detach_error = dimgblk_backing_sync(&dev->backing, file,
							 false);
	return file;
}

/* Queue detach_work, which may happen once in a life. */
static void dimgblk_device_queue_detach(struct dimgblk_device *dev)
{
	if (!test_and_set_bit(0, &dev->detach_begun))
		dimgblk_device_queue_work(&dev->detach_work);
}

/* The mirror of dimgblk_device_attach(). */
static void dimgblk_device_detach_work(struct work_struct *work)
{
	struct dimgblk_device *dev =
		container_of(work, struct dimgblk_device, detach_work);
	struct file *file;
	bool dead;

	mutex_lock(&dev->disk->open_mutex);
	if (READ_ONCE(dev->fail_io))
		dimgblk_device_set_state(dev, DIMGBLK_DEAD);
	dead = dev->state == DIMGBLK_DEAD;
	mutex_unlock(&dev->disk->open_mutex);

	/* Tell users at once; del_gendisk() alone would write back first. */
	if (dead)
		blk_mark_disk_dead(dev->disk);
	del_gendisk(dev->disk);
	dimgblk_queue_idle(dev);
	/* fput() of a work item would take effect some time after the reply. */
	file = dimgblk_device_take_file(dev);
	if (file)
		__fput_sync(file);
	dimgblk_registry_remove(dev);
	dimgblk_event(dev, DIMGBLK_EVENT_DETACH);
	complete_all(&dev->detached);
	dimgblk_queue_destroy(dev);
	dimgblk_device_release(dev);
	/* dimgblk_device_exit() waits for the end of this work item. */
	module_put(THIS_MODULE);
}

/*
 * Let the capacity of a device that follows its file grow.  Does not ask the file
 * system: an open must not wait for it, and for a file that grew on this machine
 * there is nothing to ask.
 */
static void dimgblk_device_catch_up(struct dimgblk_device *dev)
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
 * dimgblk_device_follow() - let the capacity grow if the backing file has grown
 * @dev: device, with a reference of the caller; others than those that follow
 *	their file are left alone
 *
 * Context: process context, without locks.
 */
void dimgblk_device_follow(struct dimgblk_device *dev)
{
	if (mutex_lock_killable(&dev->disk->open_mutex))
		return;		/* the next open looks again */
	dimgblk_device_catch_up(dev);
	mutex_unlock(&dev->disk->open_mutex);
}

/**
 * dimgblk_device_open() - ->open of the disk and its partitions
 * @disk: disk
 * @mode: how it is opened
 *
 * A detach that has begun must not be raced by an opener that then holds a dead
 * disk.
 *
 * Context: under disk->open_mutex.
 *
 * Return: 0, or -ENXIO when a detach has begun.
 */
int dimgblk_device_open(struct gendisk *disk, blk_mode_t mode)
{
	struct dimgblk_device *dev = disk->private_data;

	lockdep_assert_held(&disk->open_mutex);
	if (dev->state > DIMGBLK_LIVE)
		return -ENXIO;
	/*
	 * Who opens exclusively is a user (mount, swapon, device mapper, mkfs);
	 * the others may be udev looking at a new disk, whose close must not
	 * end an auto-detach device before its user has come.
	 */
	if ((mode & BLK_OPEN_EXCL) && dev->auto_detach)
		WRITE_ONCE(dev->armed, true);
	/* "truncate -s +1G FILE; resize2fs DEVICE": the latter sees the growth. */
	dimgblk_device_catch_up(dev);
	return 0;
}

/**
 * dimgblk_device_close() - ->release of the disk and its partitions
 * @disk: disk
 *
 * The last close of an armed device drops the backing file before it returns, so
 * that who unmounted the device can unmount the file system below; the disk
 * follows in detach_work, which needs open_mutex itself.
 *
 * Context: under disk->open_mutex, after each close.
 */
void dimgblk_device_close(struct gendisk *disk)
{
	struct dimgblk_device *dev = disk->private_data;
	unsigned int memflags;
	struct file *file;

	lockdep_assert_held(&disk->open_mutex);
	if (disk_openers(disk) || dev->state != DIMGBLK_LIVE ||
	    !READ_ONCE(dev->armed))
		return;
	/* No opener, so no request either, but nobody promises that. */
	memflags = blk_mq_freeze_queue(disk->queue);
	dimgblk_device_set_state(dev, DIMGBLK_DEAD);
	blk_mq_unfreeze_queue(disk->queue, memflags);
	/* Requests that come now fail before they touch the file. */
	file = dimgblk_device_take_file(dev);
	/*
	 * Takes effect before this task returns to userspace, and after it has
	 * let go of open_mutex: the file may be a disk with one of its own.
	 */
	if (file)
		fput(file);
	dimgblk_device_queue_detach(dev);
}

/* ->set_read_only: what was attached read-only stays so (BLKROSET). */
static int dimgblk_device_set_read_only(struct block_device *bdev, bool ro)
{
	struct dimgblk_device *dev = bdev->bd_disk->private_data;

	return !ro && dev->backing.read_only ? -EROFS : 0;
}

/* ->free_disk: the last reference on an added disk is gone. */
static void dimgblk_device_free_disk(struct gendisk *disk)
{
	dimgblk_device_release(disk->private_data);
}

const struct block_device_operations dimgblk_device_fops = {
	.owner = THIS_MODULE,
	.open = compat_device_open,
	.release = compat_device_close,
	.set_read_only = dimgblk_device_set_read_only,
	.free_disk = dimgblk_device_free_disk,
};

static void dimgblk_device_take_config(struct dimgblk_device *dev,
				       const struct dimgblk_config *config)
{
	dev->flags = config->flags;
	dev->direct = config->direct;
	dev->geometry = config->geometry;
	dev->auto_detach = config->flags & DIMGBLK_FLAG_AUTO_DETACH;
	dev->nr_hw_queues = config->nr_hw_queues ?:
		min(num_possible_cpus(), DIMGBLK_HW_QUEUES_DEFAULT);
	dev->queue_depth = config->queue_depth ?: DIMGBLK_QUEUE_DEPTH_DEFAULT;
	dev->owner = config->owner;
	strscpy(dev->name, config->name, sizeof(dev->name));
}

static struct dimgblk_device *
dimgblk_device_alloc(const struct dimgblk_config *config)
{
	struct dimgblk_device *dev;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return NULL;
	atomic_inc(&dimgblk_device_count);
	kref_init(&dev->ref);
	mutex_init(&dev->config_mutex);
	INIT_WORK(&dev->detach_work, dimgblk_device_detach_work);
	init_completion(&dev->detached);
	dimgblk_owner_setup(dev);
	dimgblk_device_take_config(dev, config);
	return dev;
}

static int dimgblk_device_add_disk(struct dimgblk_device *dev)
{
	struct gendisk *disk = dev->disk;
	int err;

	snprintf(disk->disk_name, sizeof(disk->disk_name), "dimgblk%u",
		 dev->index);
	disk->fops = &dimgblk_device_fops;
	set_capacity(disk, atomic64_read(&dev->size) >> SECTOR_SHIFT);
	set_disk_ro(disk, dev->backing.read_only);
	if (!(dev->flags & DIMGBLK_FLAG_PARTITION_SCAN))
		set_bit(GD_SUPPRESS_PART_SCAN, &disk->state);
	/*
	 * Of the added disk, dropped in ->free_disk; an added disk is never
	 * taken back by the ladder of attach.
	 */
	kref_get(&dev->ref);
	/* Reads the partition table and then sends the uevents, once. */
	err = device_add_disk(NULL, disk, dimgblk_sysfs_groups);
	if (err)
		dimgblk_device_release(dev);
	return err;
}

/**
 * dimgblk_device_attach() - make a device on a backing file
 * @config: what is wanted; the file descriptor is one of current
 * @attached: set to the device, with a reference for dimgblk_device_put()
 * @extack: gets the reason of a refusal
 *
 * Context: process context of the sender, without locks; calls into the file
 * system and reads the image.
 *
 * Return: 0 with the device live, complete and announced, or an errno with
 * nothing changed: -EINVAL, -ERANGE, -EOVERFLOW for a value that cannot be;
 * those of dimgblk_backing_open() and dimgblk_registry_add(); -ELOOP when stacked
 * too deep; -ENOMEM.
 */
int dimgblk_device_attach(const struct dimgblk_config *config,
			  struct dimgblk_device **attached,
			  struct netlink_ext_ack *extack)
{
	struct dimgblk_device *dev;
	int err;

	err = dimgblk_plan_check_config(config, extack);
	if (err)
		return err;
	/*
	 * Until the end of detach_work.  Unloading may have begun, and would
	 * then wait for this request, but for no device.
	 */
	if (!try_module_get(THIS_MODULE)) {
		NL_SET_ERR_MSG(extack, "the module is being unloaded");
		return -ENODEV;
	}
	err = -ENOMEM;
	dev = dimgblk_device_alloc(config);
	if (!dev)
		goto err_module_put;
	err = dimgblk_backing_open(&dev->backing, config->backing_fd,
				   config->flags & DIMGBLK_FLAG_READ_ONLY,
				   extack);
	if (err)
		goto err_release;
	err = dimgblk_plan_device(dev, config, extack);
	if (err)
		goto err_put_file;
	err = dimgblk_registry_add(dev, config, extack);
	if (err)
		goto err_put_file;
	err = dimgblk_queue_create(dev);
	if (err)
		goto err_registry_remove;
	err = dimgblk_follow_start(dev);
	if (err)
		goto err_queue_destroy;
	err = dimgblk_device_add_disk(dev);
	if (err)
		goto err_follow_stop;

	get_device(disk_to_dev(dev->disk));	/* for the caller */
	/* Under the mutex: the last close may not end it before it is listed. */
	mutex_lock(&dev->disk->open_mutex);
	dimgblk_device_set_state(dev, DIMGBLK_LIVE);
	dimgblk_registry_publish(dev);
	dimgblk_event(dev, DIMGBLK_EVENT_ATTACH);
	dimgblk_device_catch_up(dev);	/* with what came before it was found */
	mutex_unlock(&dev->disk->open_mutex);
	*attached = dev;
	return 0;

err_follow_stop:
	dimgblk_follow_stop(dev);
err_queue_destroy:
	dimgblk_queue_destroy(dev);
err_registry_remove:
	dimgblk_registry_remove(dev);
err_put_file:
	fput(dev->backing.file);
err_release:
	dimgblk_device_release(dev);
err_module_put:
	module_put(THIS_MODULE);
	if (!extack->_msg)
		NL_SET_ERR_MSG(extack,
			       "the kernel could not make the device, most likely for want of memory");
	return err;
}

/*
 * Decide about a detach that is not forced, under open_mutex, so that no open
 * comes in between.  Return: 0 when it is under way, 1 when the device stays for
 * now, or an errno.
 */
static int dimgblk_device_begin_detach(struct dimgblk_device *dev,
				       enum dimgblk_detach_mode mode,
				       struct netlink_ext_ack *extack)
{
	unsigned int openers = disk_openers(dev->disk);

	lockdep_assert_held(&dev->disk->open_mutex);
	if (dev->state != DIMGBLK_LIVE || READ_ONCE(dev->fail_io))
		return 0;	/* begun before: wait for it */
	if (openers && mode == DIMGBLK_DETACH_LAZY) {
		WRITE_ONCE(dev->auto_detach, true);
		WRITE_ONCE(dev->armed, true);
		return 1;
	}
	if (openers) {
		NL_SET_ERR_MSG_FMT(extack, "dimgblk%u is in use (openers: %u)",
				   dev->index, openers);
		return -EBUSY;
	}
	dimgblk_device_set_state(dev, DIMGBLK_DETACHING);
	dimgblk_device_queue_detach(dev);
	return 0;
}

/*
 * Begin any detach.  A forced one takes no lock: who holds open_mutex may be
 * waiting for the very requests that it shall fail.
 */
static int dimgblk_device_start_detach(struct dimgblk_device *dev,
				       enum dimgblk_detach_mode mode,
				       struct netlink_ext_ack *extack)
{
	int ret;

	if (mode == DIMGBLK_DETACH_FORCED) {
		/* Pairs with READ_ONCE() in dimgblk_cmd_check(). */
		WRITE_ONCE(dev->fail_io, true);
		dimgblk_device_queue_detach(dev);
		return 0;
	}
	ret = mutex_lock_killable(&dev->disk->open_mutex);
	if (ret)
		return ret;
	ret = dimgblk_device_begin_detach(dev, mode, extack);
	mutex_unlock(&dev->disk->open_mutex);
	return ret;
}

/*
 * Wait for detach_work, which goes on if the caller is killed or has waited long
 * enough: the netlink core lets no family come or go while a request is served.
 */
static int dimgblk_device_wait_detached(struct dimgblk_device *dev,
					enum dimgblk_device_state *state)
{
	long left = wait_for_completion_killable_timeout(&dev->detached,
							 DIMGBLK_REQUEST_WAIT);

	if (left < 0)
		return -EINTR;
	if (left == 0) {
		*state = dimgblk_device_public_state(dev);
		return 0;
	}
	*state = DIMGBLK_STATE_DETACHED;
	return dev->detach_error;
}

/**
 * dimgblk_device_detach() - remove a device
 * @dev: device, with a reference of the caller
 * @mode: what to do when it is in use
 * @state: set to what has become of it
 * @extack: gets the reason of a refusal
 *
 * Context: process context, without locks; waits some seconds for requests and
 * for the sync of the backing file.
 *
 * Return: 0 with @state detached, live (lazy, in use), or detaching or dead when
 * the backing file has not answered yet; -EBUSY when it is in use and @mode is
 * strict; -EINTR when killed while waiting, detach goes on; or the errno of the
 * last sync, after which the device is gone nevertheless.
 */
int dimgblk_device_detach(struct dimgblk_device *dev,
			  enum dimgblk_detach_mode mode,
			  enum dimgblk_device_state *state,
			  struct netlink_ext_ack *extack)
{
	int ret;

	ret = dimgblk_device_start_detach(dev, mode, extack);
	if (ret < 0)
		return ret;
	if (ret > 0) {
		*state = DIMGBLK_STATE_LIVE;
		return 0;
	}
	ret = dimgblk_device_wait_detached(dev, state);
	if (ret && ret != -EINTR)
		NL_SET_ERR_MSG(extack,
			       "detached, but the last sync of the backing file failed: recent writes may be lost");
	return ret;
}

/**
 * dimgblk_device_abandon() - detach as soon as nobody has the device open
 * @dev: device, with a reference of the caller
 *
 * Context: process context, without locks; waits for no request.
 */
void dimgblk_device_abandon(struct dimgblk_device *dev)
{
	mutex_lock(&dev->disk->open_mutex);
	dimgblk_device_begin_detach(dev, DIMGBLK_DETACH_LAZY, NULL);
	mutex_unlock(&dev->disk->open_mutex);
}

/* Set capacity and size to @size bytes, unless a detach has begun. */
static int dimgblk_device_set_size(struct dimgblk_device *dev, u64 size,
				   struct netlink_ext_ack *extack)
{
	struct gendisk *disk = dev->disk;
	int err;

	err = mutex_lock_killable(&disk->open_mutex);
	if (err)
		return err;
	if (dev->state != DIMGBLK_LIVE || READ_ONCE(dev->fail_io)) {
		NL_SET_ERR_MSG(extack, "the device is being detached");
		err = -ENODEV;
		goto out_unlock;
	}
	/* First the bound for requests, then their invitation. */
	err = dimgblk_registry_grow(dev, size, extack);
	if (!err)
		set_capacity_and_notify(disk, size >> SECTOR_SHIFT);
out_unlock:
	mutex_unlock(&disk->open_mutex);
	return err;
}

/**
 * dimgblk_device_resize() - take the capacity from the backing file again
 * @dev: device, with a reference of the caller
 * @extack: gets the reason of a refusal
 *
 * Context: process context, without locks; calls into the file system.
 *
 * Return: 0; -ERANGE when no logical block is left; -EBUSY when the new range
 * overlaps that of another device; -ENODEV when it is being detached; or an
 * errno of the file system.
 */
int dimgblk_device_resize(struct dimgblk_device *dev,
			  struct netlink_ext_ack *extack)
{
	u64 file_size, size, old_size;
	struct file *file;
	int err;

	file = dimgblk_registry_get_file(dev);
	if (!file) {
		NL_SET_ERR_MSG(extack, "the device is being detached");
		return -ENODEV;
	}
	err = mutex_lock_killable(&dev->config_mutex);
	if (err)
		goto out_put_file;
	err = dimgblk_backing_size(file, &file_size);
	if (err)
		goto out_unlock;
	size = dimgblk_geometry_size(&dev->geometry, file_size);
	if (!size) {
		NL_SET_ERR_MSG_FMT(extack,
				   "no block of %u bytes from offset %llu in a file of %llu",
				   dev->geometry.logical_block_size,
				   dev->geometry.offset, file_size);
		err = -ERANGE;
		goto out_unlock;
	}
	old_size = atomic64_read(&dev->size);
	if (size == old_size)
		goto out_unlock;
	err = dimgblk_device_set_size(dev, size, extack);
	if (!err)
		dimgblk_event(dev, DIMGBLK_EVENT_RESIZE);
out_unlock:
	mutex_unlock(&dev->config_mutex);
	/* The file may have grown beyond what was measured above. */
	dimgblk_device_follow(dev);
out_put_file:
	fput(file);
	return err;
}

/*
 * Between requests; not for ever, as a hung backing file ends none.  What is in
 * the page cache needs no sync: direct I/O writes back the pages that it meets.
 */
static int dimgblk_device_switch_direct(struct dimgblk_device *dev, bool in_use,
					struct netlink_ext_ack *extack)
{
	struct request_queue *q = dev->disk->queue;
	unsigned int memflags = memalloc_noio_save();
	int err;

	blk_freeze_queue_start(q);
	if (blk_mq_freeze_queue_wait_timeout(q, DIMGBLK_REQUEST_WAIT)) {
		err = dimgblk_registry_set_direct(dev, in_use, extack);
	} else {
		NL_SET_ERR_MSG(extack,
			       "the backing file does not answer; nothing was changed");
		err = -ETIMEDOUT;
	}
	blk_mq_unfreeze_queue(q, memflags);	/* restores memflags */
	return err;
}

/**
 * dimgblk_device_set_direct() - switch direct I/O
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
 * -ETIMEDOUT when requests did not end in time; -EINTR when killed.
 */
int dimgblk_device_set_direct(struct dimgblk_device *dev, u32 direct,
			      struct netlink_ext_ack *extack)
{
	const char *reason;
	bool in_use;
	int err;

	err = mutex_lock_killable(&dev->config_mutex);
	if (err)
		return err;
	err = dimgblk_plan_direct(dev, direct, &in_use, &reason, extack);
	if (err)
		goto out_unlock;
	if (direct == dev->direct)
		goto out_unlock;
	if (in_use != dev->direct_in_use)
		err = dimgblk_device_switch_direct(dev, in_use, extack);
	if (err)
		goto out_unlock;
	WRITE_ONCE(dev->direct, direct);
	WRITE_ONCE(dev->direct_reason, reason);
	dimgblk_event(dev, DIMGBLK_EVENT_SETTINGS);
out_unlock:
	mutex_unlock(&dev->config_mutex);
	return err;
}

/**
 * dimgblk_device_init() - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int dimgblk_device_init(void)
{
	dimgblk_device_wq = alloc_workqueue("dimgblk-device", WQ_UNBOUND, 0);
	return dimgblk_device_wq ? 0 : -ENOMEM;
}

/**
 * dimgblk_device_exit() - at module unload; no device is attached any more
 *
 * Waits for what is left of detached devices: disks that someone else still
 * refers to, and the tails of functions that freed them.
 */
void dimgblk_device_exit(void)
{
	destroy_workqueue(dimgblk_device_wq);
	wait_event(dimgblk_device_gone, !atomic_read(&dimgblk_device_count));
	rcu_barrier();
}
