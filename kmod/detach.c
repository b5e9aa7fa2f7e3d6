// SPDX-License-Identifier: GPL-2.0
/*
 * Detach: the end of a device.
 *
 * Owns every way in which a device ends, on request, with its last user or with
 * its owner, and the work that takes apart what dimgblk_device_attach() put
 * together.
 */

#include <linux/file.h>
#include <linux/module.h>

#include "dimgblk.h"

/* Nobody may be waiting: the device may end with its last user or its owner. */
static void dimgblk_detach_tell(struct dimgblk_device *dev, int err)
{
	dev->detach_error = err;
	if (err)
		pr_err("dimgblk%u: the last sync of the backing file failed (errno %d): recent writes may be lost\n",
		       dev->index, -err);
}

/*
 * Take the backing file away from the device, once, and sync it.  Return: the
 * file, whose reference is the caller's, or NULL.
 */
static struct file *dimgblk_detach_take_file(struct dimgblk_device *dev)
{
	struct file *file;

	/* Its mark refers to the inode, which the file alone keeps in memory. */
	dimgblk_follow_stop(dev);
	/* Not later: others can attach the range as soon as the file is taken. */
	dimgblk_change_drop_pages(dev);
	file = dimgblk_registry_take_file(dev);
	if (file && !dev->backing.read_only)
		dimgblk_detach_tell(dev, dimgblk_backing_sync(&dev->backing,
							      file, false));
	return file;
}

/* Queue detach_work, which may happen once in a life. */
static void dimgblk_detach_queue(struct dimgblk_device *dev)
{
	if (!test_and_set_bit(0, &dev->detach_begun))
		dimgblk_device_queue_work(&dev->detach_work);
}

/* The mirror of dimgblk_device_attach(). */
static void dimgblk_detach_work(struct work_struct *work)
{
	struct dimgblk_device *dev =
		container_of(work, struct dimgblk_device, detach_work);
	struct file *file;
	bool dead;

	/*
	 * No disk dies while change.c has its queue frozen: the block layer (7.3)
	 * decides at both ends of a freeze what to tell lockdep, by whether the
	 * disk is dead.  Who comes later sees detach_begun.
	 */
	mutex_lock(&dev->freeze_mutex);
	mutex_unlock(&dev->freeze_mutex);

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
	file = dimgblk_detach_take_file(dev);
	if (file)
		__fput_sync(file);
	/* With those who close it: the last one frees the index. */
	mutex_lock(&dev->disk->open_mutex);
	dimgblk_registry_remove(dev);
	if (!disk_openers(dev->disk))
		dimgblk_registry_free_index(dev);
	mutex_unlock(&dev->disk->open_mutex);
	dimgblk_event_detach(dev, dev->detach_error);
	/*
	 * Who learns that it is gone may unload the module at once; its exit waits
	 * for the release below and for the end of this work item.
	 */
	module_put(THIS_MODULE);
	complete_all(&dev->detached);
	dimgblk_queue_destroy(dev);
	dimgblk_device_release(dev);
}

/**
 * dimgblk_detach_setup() - prepare a new device
 * @dev: device
 */
void dimgblk_detach_setup(struct dimgblk_device *dev)
{
	INIT_WORK(&dev->detach_work, dimgblk_detach_work);
	init_completion(&dev->detached);
}

/**
 * dimgblk_detach_last_close() - end an armed device whose last opener has gone
 * @dev: device
 *
 * Drops the backing file before it returns, so that who unmounted the device can
 * unmount the file system below; the disk follows in detach_work, which needs
 * open_mutex itself.
 *
 * Context: under disk->open_mutex, perhaps in a task that is being killed; syncs
 * the backing file.
 */
void dimgblk_detach_last_close(struct dimgblk_device *dev)
{
	struct request_queue *q = dev->disk->queue;
	struct file *file, *taken;
	unsigned int memflags;
	int err = 0;

	/* No opener, so no request either, but nobody promises that. */
	memflags = blk_mq_freeze_queue(q);
	dimgblk_device_set_state(dev, DIMGBLK_DEAD);
	blk_mq_unfreeze_queue(q, memflags);
	/* Requests that come now fail before they touch the file. */
	dimgblk_follow_stop(dev);
	dimgblk_change_drop_pages(dev);
	file = dimgblk_registry_get_file(dev);
	if (file && !dev->backing.read_only)
		err = dimgblk_backing_sync(&dev->backing, file, false);
	/* Who closes may be killed, detach_work may not: it syncs then. */
	taken = dimgblk_backing_interrupted(err) ?
		NULL : dimgblk_registry_take_file(dev);
	/*
	 * Takes effect before this task returns to userspace, and after it has
	 * let go of open_mutex: the file may be a disk with one of its own.
	 */
	if (taken) {
		dimgblk_detach_tell(dev, err);
		fput(taken);
	}
	if (file)
		fput(file);
	dimgblk_detach_queue(dev);
}

/*
 * Decide about a detach that is not forced, under open_mutex, so that no open
 * comes in between.  Return: 0 when it is under way, 1 when the device stays for
 * now, or an errno.
 */
static int dimgblk_detach_begin(struct dimgblk_device *dev,
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
	dimgblk_detach_queue(dev);
	return 0;
}

/*
 * Begin any detach.  A forced one takes no lock: who holds open_mutex may be
 * waiting for the very requests that it shall fail.
 */
static int dimgblk_detach_start(struct dimgblk_device *dev,
				enum dimgblk_detach_mode mode,
				struct netlink_ext_ack *extack)
{
	int ret;

	if (mode == DIMGBLK_DETACH_FORCED) {
		/* Pairs with READ_ONCE() in dimgblk_cmd_check(). */
		WRITE_ONCE(dev->fail_io, true);
		dimgblk_detach_queue(dev);
		return 0;
	}
	/* Begun before: the lock may be held for as long as that takes. */
	if (dimgblk_device_public_state(dev) != DIMGBLK_STATE_LIVE)
		return 0;
	ret = dimgblk_device_lock(&dev->disk->open_mutex, extack);
	if (ret)
		return ret;
	ret = dimgblk_detach_begin(dev, mode, extack);
	mutex_unlock(&dev->disk->open_mutex);
	return ret;
}

/*
 * The errno for the last sync.  A file system may have any, also those by which we
 * say that there is no such device, or that it stays: those would be believed.
 */
static int dimgblk_detach_tell_error(const struct dimgblk_device *dev,
				     struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_FMT(extack,
			   "detached, but the last sync failed (errno %d): recent writes may be lost",
			   -dev->detach_error);
	if (dev->detach_error == -ENOSPC || dev->detach_error == -EDQUOT)
		return dev->detach_error;
	return -EIO;
}

/*
 * Wait for detach_work, which goes on if the caller is killed or has waited long
 * enough: the netlink core lets no family come or go while a request is served.
 */
static int dimgblk_detach_wait(struct dimgblk_device *dev,
			       enum dimgblk_device_state *state,
			       struct netlink_ext_ack *extack)
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
	return dev->detach_error ? dimgblk_detach_tell_error(dev, extack) : 0;
}

/**
 * dimgblk_detach_device() - remove a device
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
 * strict; -ETIMEDOUT when somebody who opens or closes it waits for the backing
 * file and @mode is not forced, nothing has begun then; -EINTR when killed while
 * waiting, detach goes on; or -ENOSPC, -EDQUOT or else -EIO when the last sync
 * failed, the device is gone nevertheless.
 */
int dimgblk_detach_device(struct dimgblk_device *dev,
			  enum dimgblk_detach_mode mode,
			  enum dimgblk_device_state *state,
			  struct netlink_ext_ack *extack)
{
	int ret;

	ret = dimgblk_detach_start(dev, mode, extack);
	if (ret < 0)
		return ret;
	if (ret > 0) {
		*state = DIMGBLK_STATE_LIVE;
		return 0;
	}
	return dimgblk_detach_wait(dev, state, extack);
}

/**
 * dimgblk_detach_abandon() - detach as soon as nobody has the device open
 * @dev: device, with a reference of the caller
 *
 * Context: process context, without locks; waits for no request.
 */
void dimgblk_detach_abandon(struct dimgblk_device *dev)
{
	mutex_lock(&dev->disk->open_mutex);
	dimgblk_detach_begin(dev, DIMGBLK_DETACH_LAZY, NULL);
	mutex_unlock(&dev->disk->open_mutex);
}
