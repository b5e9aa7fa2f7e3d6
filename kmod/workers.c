// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: the work queues that run the lanes.
 *
 * Owns one work queue per super block (or block device) that holds backing
 * files, shared by all devices on it.  Not one for all: an image that lies on a
 * file system on another dimgblk device would wait for a queue that waits for
 * it, and a hung network file system would use up the workers of everybody.  Not
 * one per device: a thousand devices need no thousand queues.  Devices stacked
 * on each other never share one, for a super block lies on one device only.
 */

#include <linux/list.h>
#include <linux/slab.h>

#include "dimgblk.h"

/**
 * struct dimgblk_workers - a shared work queue
 * @node: on the list of all
 * @dev: device number of the super block or block device
 * @users: devices that use it
 * @wq: the work queue
 *
 * All but @wq is protected by the workers mutex.
 */
struct dimgblk_workers {
	struct list_head node;
	dev_t dev;
	unsigned int users;
	struct workqueue_struct *wq;
};

static DEFINE_MUTEX(dimgblk_workers_mutex);
static LIST_HEAD(dimgblk_workers_list);

static struct dimgblk_workers *dimgblk_workers_find(dev_t dev)
{
	struct dimgblk_workers *workers;

	lockdep_assert_held(&dimgblk_workers_mutex);
	list_for_each_entry(workers, &dimgblk_workers_list, node)
		if (workers->dev == dev)
			return workers;
	return NULL;
}

static struct dimgblk_workers *dimgblk_workers_alloc(dev_t dev)
{
	struct dimgblk_workers *workers;

	workers = kzalloc(sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return ERR_PTR(-ENOMEM);
	workers->dev = dev;
	/*
	 * Unbound: a work item may copy or wait for long.  Freezable: no I/O
	 * after the file systems were told to be quiet for hibernation.  Sysfs:
	 * an administrator may choose CPUs.  No WQ_MEM_RECLAIM: its promise, to
	 * make progress without allocating a worker, could not be kept, as file
	 * systems wait for work queues without it (xfs flushes such a one).
	 */
	workers->wq = alloc_workqueue("dimgblk-%u:%u",
				      WQ_UNBOUND | WQ_FREEZABLE | WQ_SYSFS, 0,
				      MAJOR(dev), MINOR(dev));
	if (!workers->wq) {
		kfree(workers);
		return ERR_PTR(-ENOMEM);
	}
	return workers;
}

/**
 * dimgblk_workers_get() - the work queue for files on this device
 * @dev: device number of the super block or block device; the caller holds a
 *	reference on a file of it, so the number is not reused meanwhile
 *
 * Context: process context; may sleep.
 *
 * Return: the work queue, to be given back by dimgblk_workers_put(), or
 * ERR_PTR(-ENOMEM).
 */
struct dimgblk_workers *dimgblk_workers_get(dev_t dev)
{
	struct dimgblk_workers *workers;

	mutex_lock(&dimgblk_workers_mutex);
	workers = dimgblk_workers_find(dev);
	if (!workers) {
		workers = dimgblk_workers_alloc(dev);
		if (IS_ERR(workers))
			goto out_unlock;
		list_add(&workers->node, &dimgblk_workers_list);
	}
	workers->users++;
out_unlock:
	mutex_unlock(&dimgblk_workers_mutex);
	return workers;
}

/**
 * dimgblk_workers_put() - give back what dimgblk_workers_get() gave
 * @workers: the work queue; none of the caller's work items is on it any more
 *
 * Context: process context; may sleep.
 */
void dimgblk_workers_put(struct dimgblk_workers *workers)
{
	mutex_lock(&dimgblk_workers_mutex);
	if (--workers->users) {
		mutex_unlock(&dimgblk_workers_mutex);
		return;
	}
	list_del(&workers->node);
	/*
	 * Under the mutex: the name in sysfs must be free before the next
	 * device on the same super block makes a queue of that name.
	 */
	destroy_workqueue(workers->wq);
	mutex_unlock(&dimgblk_workers_mutex);
	kfree(workers);
}

/**
 * dimgblk_workers_queue() - run a work item
 * @workers: the work queue
 * @work: the work item; nothing happens if it is waiting to run already
 *
 * Context: any.
 */
void dimgblk_workers_queue(struct dimgblk_workers *workers,
			   struct work_struct *work)
{
	queue_work(workers->wq, work);
}
