// SPDX-License-Identifier: GPL-2.0
/*
 * Device: the life of a device.
 *
 * Owns its memory and its references, attach, and the opens and closes.  Attach is
 * a ladder that leaves nothing behind when a rung breaks; detach.c is its mirror.
 * What is allowed is settled in plan.c.  See dimgblk.h for locks and lifetimes.
 */

#include <linux/file.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dimgblk.h"

/* Runs what nobody waits for; an item may wait for a hung backing file for ever. */
static struct workqueue_struct *dimgblk_device_wq;
/* Devices whose memory is not freed yet. */
static atomic_t dimgblk_device_count;
static DECLARE_WAIT_QUEUE_HEAD(dimgblk_device_gone);

/**
 * dimgblk_device_set_state() - the one place that changes the state
 * @dev: device
 * @state: next stage of its life
 *
 * Context: under disk->open_mutex.
 */
void dimgblk_device_set_state(struct dimgblk_device *dev,
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

/**
 * dimgblk_device_lock() - take a mutex whose holder may be waiting for a backing file
 * @lock: config_mutex or disk->open_mutex of a device
 * @extack: gets the reason of a refusal
 *
 * For netlink requests.  They are served under a lock that a family needs to come or
 * go, and who waits for that lets no other request begin: not the forced detach, either,
 * that would end the wait.
 *
 * Context: process context, without locks of the device.
 *
 * Return: 0; -ETIMEDOUT after DIMGBLK_REQUEST_WAIT; -EINTR when killed.
 */
int dimgblk_device_lock(struct mutex *lock, struct netlink_ext_ack *extack)
{
	unsigned long end = jiffies + DIMGBLK_REQUEST_WAIT;

	/* There is no mutex_lock_timeout().  Who holds it is done at once, or hangs. */
	while (!mutex_trylock(lock)) {
		if (fatal_signal_pending(current))
			return -EINTR;
		if (time_after(jiffies, end)) {
			NL_SET_ERR_MSG(extack,
				       "somebody who opens, closes or changes the device waits for its backing file");
			return -ETIMEDOUT;
		}
		schedule_timeout_killable(HZ / 50);
	}
	return 0;
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

/**
 * dimgblk_device_queue_delayed() - as dimgblk_device_queue_work(), later
 * @work: work item; whoever queues it holds a reference for it
 * @delay: jiffies
 *
 * Return: false when it was queued already.
 */
bool dimgblk_device_queue_delayed(struct delayed_work *work,
				  unsigned long delay)
{
	return queue_delayed_work(dimgblk_device_wq, work, delay);
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
	if (dev->state > DIMGBLK_LIVE || READ_ONCE(dev->fail_io))
		return -ENXIO;
	/*
	 * Who opens exclusively is a user (mount, swapon, device mapper, mkfs);
	 * the others may be udev looking at a new disk, whose close must not
	 * end an auto-detach device before its user has come.
	 */
	if ((mode & BLK_OPEN_EXCL) && dev->auto_detach)
		WRITE_ONCE(dev->armed, true);
	/* "truncate -s +1G FILE; resize2fs DEVICE": the latter sees the growth. */
	dimgblk_change_catch_up(dev);
	return 0;
}

/**
 * dimgblk_device_close() - ->release of the disk and its partitions
 * @disk: disk
 *
 * The last close of an armed device is its end, and that of a device which was
 * detached by force frees its index.
 *
 * Context: under disk->open_mutex, after each close.
 */
void dimgblk_device_close(struct gendisk *disk)
{
	struct dimgblk_device *dev = disk->private_data;

	lockdep_assert_held(&disk->open_mutex);
	if (disk_openers(disk))
		return;
	if (dev->state == DIMGBLK_LIVE && READ_ONCE(dev->armed))
		dimgblk_detach_last_close(dev);
	else if (dev->index_kept)
		dimgblk_registry_free_index(dev);
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
	mutex_init(&dev->freeze_mutex);
	dimgblk_errors_setup(&dev->errors);
	dimgblk_detach_setup(dev);
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
	err = dimgblk_follow_start(dev, extack);
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
	dimgblk_change_catch_up(dev);	/* with what came before it was found */
	mutex_unlock(&dev->disk->open_mutex);
	*attached = dev;
	return 0;

err_follow_stop:
	dimgblk_follow_stop(dev);
err_queue_destroy:
	dimgblk_queue_destroy(dev);
err_registry_remove:
	dimgblk_registry_remove(dev);
	dimgblk_registry_free_index(dev);
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
 * dimgblk_device_drain() - at module unload; no device is attached any more
 *
 * Waits for what is left of detached devices: disks and marks that someone else
 * still refers to, and work, which refers to its device.
 */
void dimgblk_device_drain(void)
{
	wait_event(dimgblk_device_gone, !atomic_read(&dimgblk_device_count));
}

/**
 * dimgblk_device_exit() - at module unload; no device is left
 *
 * Waits for the tails of functions that freed them.
 */
void dimgblk_device_exit(void)
{
	destroy_workqueue(dimgblk_device_wq);
	rcu_barrier();
	/*
	 * A task may have been preempted on its way out of ->free_disk, or of the
	 * completion of a request.  It costs some tenths of a second.
	 */
	synchronize_rcu_tasks();
}
