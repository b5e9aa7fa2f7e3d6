// SPDX-License-Identifier: GPL-2.0
/*
 * Follow: noticing that a backing file has grown.
 *
 * Owns the marks by which the file system notification layer (fsnotify) tells of
 * changes, as it tells inotify.  It tells of what happens on this machine only,
 * and of regular files only; for the rest there is the look at each open of the
 * device, see dimgblk_device_open().
 */

#include <linux/err.h>
#include <linux/fsnotify_backend.h>
#include <linux/sched/mm.h>

#include "dimgblk.h"

/* A file that is appended to block by block makes one change out of many. */
#define DIMGBLK_FOLLOW_DELAY	(HZ / 10)

static struct fsnotify_group *dimgblk_follow_group;

/*
 * The file was written or its size was set, perhaps by a request of ours.  Context:
 * that of the writer, inside an SRCU section, with locks of the file system held:
 * only look.
 */
static int dimgblk_follow_event(struct fsnotify_mark *mark, u32 mask,
				struct inode *inode, struct inode *dir,
				const struct qstr *file_name, u32 cookie)
{
	struct dimgblk_device *dev =
		container_of(mark, struct dimgblk_device, follow_mark);

	if (!inode || dimgblk_geometry_size(&dev->geometry, i_size_read(inode)) <=
		      atomic64_read(&dev->size))
		return 0;
	kref_get(&dev->ref);	/* not from 0: the mark has one */
	if (!dimgblk_device_queue_delayed(&dev->follow_work,
					  DIMGBLK_FOLLOW_DELAY))
		dimgblk_device_release(dev);
	return 0;
}

/* Nobody looks at the mark any more. */
static void dimgblk_follow_free_mark(struct fsnotify_mark *mark)
{
	dimgblk_device_release(container_of(mark, struct dimgblk_device,
					    follow_mark));
}

static const struct fsnotify_ops dimgblk_follow_ops = {
	.handle_inode_event = dimgblk_follow_event,
	.free_mark = dimgblk_follow_free_mark,
};

static void dimgblk_follow_work(struct work_struct *work)
{
	struct dimgblk_device *dev =
		container_of(to_delayed_work(work), struct dimgblk_device,
			     follow_work);
	struct dimgblk_device *found = dimgblk_registry_get(dev->index);
	bool again = false;

	/* The disk may be gone, and its index another one's. */
	if (found == dev)
		again = dimgblk_change_follow(dev);
	if (found)
		dimgblk_device_put(found);
	/* There may be no other event, nor an open for a long time. */
	if (!again || !dimgblk_device_queue_delayed(&dev->follow_work,
						    DIMGBLK_FOLLOW_DELAY))
		dimgblk_device_release(dev);
}

/**
 * dimgblk_follow_start() - begin to follow, if that was asked for
 * @dev: device with its backing file, not yet added
 * @extack: gets the reason of a refusal
 *
 * Context: process context; may sleep.
 *
 * Return: 0; -ENOMEM; or an errno when the file system does not tell of changes.
 */
int dimgblk_follow_start(struct dimgblk_device *dev,
			 struct netlink_ext_ack *extack)
{
	unsigned int memflags;
	int err;

	if (!(dev->flags & DIMGBLK_FLAG_FOLLOW) || dev->backing.is_bdev)
		return 0;
	INIT_DELAYED_WORK(&dev->follow_work, dimgblk_follow_work);
	kref_get(&dev->ref);
	fsnotify_init_mark(&dev->follow_mark, dimgblk_follow_group);
	dev->follow_mark.mask = FS_MODIFY;
	/* All devices share the lock under which this allocates: see below. */
	memflags = memalloc_noio_save();
	err = fsnotify_add_inode_mark(&dev->follow_mark,
				      file_inode(dev->backing.file), 0);
	memalloc_noio_restore(memflags);
	if (err) {
		if (err != -ENOMEM)
			NL_SET_ERR_MSG(extack,
				       "the file system does not tell of changes: the file cannot be followed");
		fsnotify_put_mark(&dev->follow_mark);
		return err;
	}
	dev->following = true;
	return 0;
}

/**
 * dimgblk_follow_stop() - undo dimgblk_follow_start()
 * @dev: device that still has its backing file, or never followed it, or has
 *	stopped to
 *
 * Takes the lock of the group, which dimgblk_follow_start() never holds over
 * reclaim: that could wait for a hung device.
 *
 * Events that are under way may still queue work, which finds no device.
 *
 * Context: process context; may sleep; not called twice at a time.
 */
void dimgblk_follow_stop(struct dimgblk_device *dev)
{
	if (!dev->following)
		return;
	dev->following = false;
	fsnotify_destroy_mark(&dev->follow_mark, dimgblk_follow_group);
	fsnotify_put_mark(&dev->follow_mark);
}

/**
 * dimgblk_follow_init() - at module load
 *
 * Return: 0 or -ENOMEM.
 */
int dimgblk_follow_init(void)
{
	/* Two devices may follow one file: one mark each. */
	dimgblk_follow_group = fsnotify_alloc_group(&dimgblk_follow_ops,
						    FSNOTIFY_GROUP_DUPS);
	return PTR_ERR_OR_ZERO(dimgblk_follow_group);
}

/**
 * dimgblk_follow_exit() - at module unload; no device is left
 */
void dimgblk_follow_exit(void)
{
	/* Marks are freed some time after they were destroyed, by our code. */
	fsnotify_wait_marks_destroyed();
	fsnotify_put_group(dimgblk_follow_group);
}
