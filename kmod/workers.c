// SPDX-License-Identifier: GPL-2.0
/*
 * Workers: the work queues that run the lanes.
 *
 * Owns a pair of work queues per super block (or block device) that holds backing
 * files, shared by all devices on it.  Not one for all: an image that lies on a
 * file system on another dimgblk device would wait for a queue that waits for
 * it, and a hung network file system would use up the workers of everybody.  Not
 * one per device: a thousand devices need no thousand queues.  Devices stacked
 * on each other never share one, for a super block lies on one device only.
 */

#include <linux/list.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "dimgblk.h"

/**
 * struct dimgblk_workers - shared work queues
 * @node: on the list of all
 * @dev: device number of the super block or block device
 * @users: devices that use it
 * @percpu: for work that is short: it runs on the CPU that queued it
 * @unbound: for other work: on any CPU
 *
 * The first three are protected by the workers mutex.
 */
struct dimgblk_workers {
	struct list_head node;
	dev_t dev;
	unsigned int users;
	struct workqueue_struct *percpu;
	struct workqueue_struct *unbound;
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
	 * Freezable: no I/O after the file systems were told to be quiet for
	 * hibernation.  Sysfs: an administrator may choose CPUs.  No
	 * WQ_MEM_RECLAIM: its promise, to make progress without allocating a
	 * worker, could not be kept, as file systems wait for work queues
	 * without it (xfs flushes such a one).
	 */
	workers->unbound = alloc_workqueue("dimgblk-%u:%u",
					   WQ_UNBOUND | WQ_FREEZABLE | WQ_SYSFS,
					   0, MAJOR(dev), MINOR(dev));
	if (!workers->unbound)
		goto err_free_workers;
	workers->percpu = alloc_workqueue("dimgblk-%u:%u-percpu",
					  COMPAT_WQ_PERCPU | WQ_FREEZABLE,
					  0, MAJOR(dev), MINOR(dev));
	if (!workers->percpu)
		goto err_destroy_unbound;
	return workers;

err_destroy_unbound:
	destroy_workqueue(workers->unbound);
err_free_workers:
	kfree(workers);
	return ERR_PTR(-ENOMEM);
}

/**
 * dimgblk_workers_get() - the work queues for files on this device
 * @dev: device number of the super block or block device; the caller holds a
 *	reference on a file of it, so the number is not reused meanwhile
 *
 * Context: process context; may sleep.
 *
 * Return: the work queues, to be given back by dimgblk_workers_put(), or
 * ERR_PTR(-ENOMEM).
 */
struct dimgblk_workers *dimgblk_workers_get(dev_t dev)
{
	struct dimgblk_workers *workers;
	unsigned int noio;

	mutex_lock(&dimgblk_workers_mutex);
	/* Reclaim could wait for a hung backing file, with the mutex. */
	noio = memalloc_noio_save();
	workers = dimgblk_workers_find(dev);
	if (!workers) {
		workers = dimgblk_workers_alloc(dev);
		if (IS_ERR(workers))
			goto out_unlock;
		list_add(&workers->node, &dimgblk_workers_list);
	}
	workers->users++;
out_unlock:
	memalloc_noio_restore(noio);
	mutex_unlock(&dimgblk_workers_mutex);
	return workers;
}

/**
 * dimgblk_workers_put() - give back what dimgblk_workers_get() gave
 * @workers: the work queues; none of the caller's work items is on them any more
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
	destroy_workqueue(workers->percpu);
	destroy_workqueue(workers->unbound);
	mutex_unlock(&dimgblk_workers_mutex);
	kfree(workers);
}

/**
 * dimgblk_workers_wq() - the work queue for a kind of work
 * @workers: the work queues
 * @is_short: one small request at a time, from a submitter that is about to sleep
 *
 * A work item must always go to the same one: only then does it never run twice
 * at a time.
 *
 * Return: the work queue.
 */
struct workqueue_struct *dimgblk_workers_wq(struct dimgblk_workers *workers,
					    bool is_short)
{
	return is_short ? workers->percpu : workers->unbound;
}
