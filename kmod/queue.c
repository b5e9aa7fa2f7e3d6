// SPDX-License-Identifier: GPL-2.0
/*
 * Queue: the driver's side of blk-mq.
 *
 * Owns the way of a request from ->queue_rq to the work item that runs it: the
 * submitter puts it on a lockless list, one work item per batch takes the list
 * over.  Owns also the limits and the making of the disk.  What becomes of each
 * request is in cmd.c, to be read next; Documentation/life-of-a-request.rst is
 * the tour.
 */

#include <linux/blk-mq.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "dimgblk.h"

/* ->complete: on the CPU that shall end the request, all bytes are done. */
static void dimgblk_queue_complete_rq(struct request *rq)
{
	dimgblk_cmd_succeed(blk_mq_rq_to_pdu(rq));
}

/*
 * Charge what follows to the submitter of @rq: I/O to its blkcg, memory such as
 * page cache to the memory cgroup of the same tasks.  A run of commands of one
 * cgroup, the usual case, switches once.
 */
static void dimgblk_drain_charge(struct dimgblk_drain *drain,
				 struct request *rq)
{
	struct cgroup_subsys_state *blkcg;

	/*
	 * The first bio speaks for all: a request is not merged across blkcgs.
	 * It pins the blkcg only until the request ends, but
	 * kthread_associate_blkcg() takes a reference of its own.
	 */
	blkcg = rq->bio ? bio_blkcg_css(rq->bio) : NULL;
	if (blkcg == drain->blkcg)
		return;
	kthread_associate_blkcg(blkcg);
	drain->blkcg = blkcg;

	if (drain->memcg)
		css_put(drain->memcg);
	drain->memcg = blkcg ? compat_get_memcg_css(blkcg->cgroup) : NULL;
	set_active_memcg(drain->memcg ? mem_cgroup_from_css(drain->memcg)
				      : drain->old_memcg);
}

static void dimgblk_drain_begin(struct dimgblk_drain *drain)
{
	*drain = (struct dimgblk_drain) {};
	drain->old_memcg = set_active_memcg(NULL);
	set_active_memcg(drain->old_memcg);
}

static void dimgblk_drain_end(struct dimgblk_drain *drain)
{
	if (drain->blkcg)
		kthread_associate_blkcg(NULL);
	set_active_memcg(drain->old_memcg);
	if (drain->memcg)
		css_put(drain->memcg);
}

/* Run all commands of the lane. */
static void dimgblk_lane_drain(struct dimgblk_lane *lane)
{
	struct dimgblk_cmd *cmd, *next;
	struct dimgblk_drain drain;
	struct llist_node *batch;
	struct blk_plug plug;

	batch = llist_reverse_order(llist_del_all(&lane->cmds));
	if (!batch)
		return;
	dimgblk_drain_begin(&drain);
	blk_start_plug(&plug);
	/* Of a command that was run even the link to the next may be gone. */
	llist_for_each_entry_safe(cmd, next, batch, node) {
		if (!dimgblk_cmd_resume(cmd))
			continue;
		dimgblk_drain_charge(&drain, blk_mq_rq_from_pdu(cmd));
		dimgblk_cmd_run(cmd, &drain);
	}
	blk_finish_plug(&plug);
	dimgblk_drain_end(&drain);
}

/*
 * The work item of a lane.  A command added after the list was taken queues the
 * work again, so one pass is enough.
 */
static void dimgblk_lane_work(struct work_struct *work)
{
	struct dimgblk_lane *lane =
		container_of(work, struct dimgblk_lane, work);
	unsigned int flags = current->flags & PF_LOCAL_THROTTLE;
	unsigned int noio;

	/*
	 * Memory reclaim started by us must not wait for I/O: that I/O may be
	 * in this list.  And who cleans dirty pages must not be held up by the
	 * amount of dirty pages in the system, only by its own disk.
	 */
	noio = memalloc_noio_save();
	current->flags |= PF_LOCAL_THROTTLE;
	dimgblk_lane_drain(lane);
	current_restore_flags(flags, PF_LOCAL_THROTTLE);
	memalloc_noio_restore(noio);
}

/*
 * May a write wait for a thaw?  Then the local lane is for nobody: not for it, and not
 * for a read, as one may be waiting there that was sent before the freeze began.
 */
static bool dimgblk_queue_frozen(struct dimgblk_device *dev)
{
	/* A dead device may have no backing file any more. */
	return READ_ONCE(dev->state) != DIMGBLK_DEAD &&
	       dimgblk_backing_frozen(&dev->backing);
}

/*
 * Choose the lane.  A request that comes alone runs on the CPU of its submitter,
 * who is about to sleep: two context switches instead of four and no other CPU
 * to wake.  Not so if the one before is still waiting to run there, as then the
 * submitter did not sleep and another CPU shall help; nor if the work item may
 * wait for the disk, with the next request behind it.
 */
static struct dimgblk_lane *
dimgblk_queue_lane(struct dimgblk_hw_queue *hwq,
		   const struct blk_mq_queue_data *bd, bool direct)
{
	struct dimgblk_lane *local = &hwq->lanes[DIMGBLK_LANE_LOCAL];
	struct dimgblk_lane *lane;

	switch (req_op(bd->rq)) {
	case REQ_OP_READ:
		lane = &hwq->lanes[DIMGBLK_LANE_READ];
		break;
	case REQ_OP_WRITE:
		lane = &hwq->lanes[DIMGBLK_LANE_WRITE];
		break;
	default:
		return &hwq->lanes[DIMGBLK_LANE_SLOW];
	}
	if (direct && bd->last && blk_rq_bytes(bd->rq) <= DIMGBLK_LOCAL_MAX &&
	    llist_empty(&local->cmds) && llist_empty(&lane->cmds) &&
	    !dimgblk_queue_frozen(local->dev))
		return local;
	return lane;
}

/* Start the work items that have something to do. */
static void dimgblk_queue_kick(struct dimgblk_hw_queue *hwq)
{
	struct dimgblk_lane *lane;

	for (lane = hwq->lanes; lane < hwq->lanes + DIMGBLK_NR_LANES; lane++)
		if (!llist_empty(&lane->cmds))
			queue_work(lane->wq, &lane->work);
}

/*
 * ->queue_rq: submitter's context or a work item of the block layer, under RCU.
 * The batch is kicked once, by its last request or by ->commit_rqs.
 */
static blk_status_t dimgblk_queue_rq(struct blk_mq_hw_ctx *hctx,
				     const struct blk_mq_queue_data *bd)
{
	struct dimgblk_hw_queue *hwq = hctx->driver_data;
	struct dimgblk_cmd *cmd = blk_mq_rq_to_pdu(bd->rq);
	struct dimgblk_device *dev = hctx->queue->queuedata;
	/* Pairs with WRITE_ONCE() in dimgblk_registry_set_direct(). */
	bool direct = READ_ONCE(dev->direct_in_use);

	blk_mq_start_request(bd->rq);
	/*
	 * A user that holds the disk exclusively, and that ->open of a partition
	 * was not told about (Linux 6.1, when udev has it open, too).
	 */
	if (unlikely(READ_ONCE(dev->auto_detach) &&
		     READ_ONCE(dev->disk->part0->bd_holders)))
		WRITE_ONCE(dev->armed, true);
	/* A worker may wait, so the request need not be refused with EAGAIN. */
	bd->rq->cmd_flags &= ~REQ_NOWAIT;
	dimgblk_cmd_init(cmd, dimgblk_queue_lane(hwq, bd, direct), direct);
	llist_add(&cmd->node, &cmd->lane->cmds);
	if (bd->last)
		dimgblk_queue_kick(hwq);
	return BLK_STS_OK;
}

static void dimgblk_queue_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	dimgblk_queue_kick(hctx->driver_data);
}

static int dimgblk_queue_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
				   unsigned int index)
{
	struct dimgblk_device *dev = data;

	hctx->driver_data = &dev->hw_queues[index];
	return 0;
}

static const struct blk_mq_ops dimgblk_queue_ops = {
	.queue_rq = dimgblk_queue_rq,
	.commit_rqs = dimgblk_queue_commit_rqs,
	.complete = dimgblk_queue_complete_rq,
	.init_hctx = dimgblk_queue_init_hctx,
};

/*
 * The limits of the disk, complete before it is added.  Segments may be as many
 * and as large as they like: nothing here is hardware.
 */
static void dimgblk_queue_limits(const struct dimgblk_device *dev,
				 struct queue_limits *lim)
{
	const struct dimgblk_backing *backing = &dev->backing;
	u32 block_size = dev->geometry.logical_block_size;

	*lim = (struct queue_limits) {
		.logical_block_size = block_size,
		.physical_block_size = max(block_size, backing->block_size),
		.io_min = max(block_size, backing->block_size),
		.max_hw_sectors = SZ_4M >> SECTOR_SHIFT,
		.max_segments = USHRT_MAX,
		.max_segment_size = UINT_MAX,
		/*
		 * Not more for the sake of direct I/O: file systems bring
		 * buffers that are aligned to sectors only.
		 */
		.dma_alignment = SECTOR_SIZE - 1,
	};
	if (backing->stable_writes)
		lim->features |= BLK_FEAT_STABLE_WRITES;
	if (backing->rotational)
		lim->features |= BLK_FEAT_ROTATIONAL;
	if (backing->read_only)
		return;
	/* Without FUA the block layer sends a flush after the write. */
	lim->features |= BLK_FEAT_WRITE_CACHE;
	if (backing->fua)
		lim->features |= BLK_FEAT_FUA;
	if (!backing->discard_granularity ||
	    (backing->is_bdev &&
	     dev->geometry.offset & (backing->block_size - 1)))
		return;
	lim->discard_granularity = max(block_size,
				       backing->discard_granularity);
	/* Whole blocks, for what is cut off at the limit. */
	lim->max_hw_discard_sectors =
		round_down(UINT_MAX, block_size) >> SECTOR_SHIFT;
	lim->max_write_zeroes_sectors = lim->max_hw_discard_sectors;
}

static void dimgblk_lane_init(struct dimgblk_lane *lane,
			      struct dimgblk_device *dev,
			      enum dimgblk_lane_kind kind)
{
	init_llist_head(&lane->cmds);
	INIT_WORK(&lane->work, dimgblk_lane_work);
	lane->wq = dimgblk_workers_wq(dev->workers,
				      kind == DIMGBLK_LANE_LOCAL);
	lane->dev = dev;
}

/* Make the driver's side of the hctxs. */
static int dimgblk_queue_alloc_hw_queues(struct dimgblk_device *dev)
{
	enum dimgblk_lane_kind kind;
	unsigned int i;

	dev->hw_queues = kcalloc(dev->nr_hw_queues, sizeof(*dev->hw_queues),
				 GFP_KERNEL);
	if (!dev->hw_queues)
		return -ENOMEM;
	for (i = 0; i < dev->nr_hw_queues; i++)
		for (kind = 0; kind < DIMGBLK_NR_LANES; kind++)
			dimgblk_lane_init(&dev->hw_queues[i].lanes[kind], dev,
					  kind);
	return 0;
}

static int dimgblk_queue_alloc_tag_set(struct dimgblk_device *dev)
{
	int err;

	dev->tag_set = (struct blk_mq_tag_set) {
		.ops = &dimgblk_queue_ops,
		.nr_hw_queues = dev->nr_hw_queues,
		.queue_depth = dev->queue_depth,
		.cmd_size = sizeof(struct dimgblk_cmd),
		.numa_node = NUMA_NO_NODE,
		/*
		 * Tags shared by the hardware queues keep memory at one queue's
		 * worth; the file system below sorts requests better than a
		 * scheduler here could.  Stacking: a CPU that goes does not wait
		 * for our requests, which may wait for a frozen or hung file
		 * system; no work item here is bound to it for good.
		 */
		.flags = COMPAT_MQ_F_SHOULD_MERGE | BLK_MQ_F_TAG_HCTX_SHARED |
			 BLK_MQ_F_NO_SCHED_BY_DEFAULT | BLK_MQ_F_STACKING,
		.driver_data = dev,
	};
	err = blk_mq_alloc_tag_set(&dev->tag_set);
	if (err)
		return err;
	/* Fewer than asked for, if memory is short or a crash kernel runs: told. */
	dev->queue_depth = dev->tag_set.queue_depth;
	dev->nr_hw_queues = dev->tag_set.nr_hw_queues;
	return 0;
}

/**
 * dimgblk_queue_create() - make the queue and the gendisk, not yet added
 * @dev: device with geometry, backing and settings complete
 *
 * Context: process context; may sleep.
 *
 * Return: 0, with @dev->disk set, to be undone by dimgblk_queue_destroy();
 * -ENOMEM.
 */
int dimgblk_queue_create(struct dimgblk_device *dev)
{
	struct queue_limits lim;
	struct gendisk *disk;
	int err;

	ratelimit_state_init(&dev->error_limit, DEFAULT_RATELIMIT_INTERVAL,
			     DEFAULT_RATELIMIT_BURST);
	ratelimit_set_flags(&dev->error_limit, RATELIMIT_MSG_ON_RELEASE);

	dev->workers = dimgblk_workers_get(dev->backing.dev);
	if (IS_ERR(dev->workers))
		return PTR_ERR(dev->workers);
	err = dimgblk_queue_alloc_hw_queues(dev);
	if (err)
		goto err_put_workers;
	err = dimgblk_queue_alloc_tag_set(dev);
	if (err)
		goto err_free_hw_queues;
	dimgblk_queue_limits(dev, &lim);
	disk = blk_mq_alloc_disk(&dev->tag_set, &lim, dev);
	if (IS_ERR(disk)) {
		err = PTR_ERR(disk);
		goto err_free_tag_set;
	}
	disk->private_data = dev;
	dev->disk = disk;
	return 0;

err_free_tag_set:
	blk_mq_free_tag_set(&dev->tag_set);
err_free_hw_queues:
	kfree(dev->hw_queues);
err_put_workers:
	dimgblk_workers_put(dev->workers);
	return err;
}

/**
 * dimgblk_queue_idle() - wait until no work item touches a command
 * @dev: device whose requests have all ended and that gets no new ones
 *
 * A request may end before the work item that ran it returns, and before whoever
 * queued that work item (->queue_rq or a completion, both under RCU) has done so.
 *
 * Context: process context; may sleep.
 */
void dimgblk_queue_idle(struct dimgblk_device *dev)
{
	enum dimgblk_lane_kind kind;
	unsigned int i;

	synchronize_rcu();
	for (i = 0; i < dev->nr_hw_queues; i++)
		for (kind = 0; kind < DIMGBLK_NR_LANES; kind++)
			flush_work(&dev->hw_queues[i].lanes[kind].work);
}

/*
 * Drop the creator's reference on the disk.  One that was added goes on without tags,
 * while one that was not uses them until it is released: whoever met it among all
 * disks, as /proc/diskstats does, before device_add_disk() failed has to let go first.
 * Nobody meets it any more.
 */
static void dimgblk_queue_put_disk(struct gendisk *disk)
{
	if (!test_bit(GD_ADDED, &disk->state))
		while (kref_read(&disk_to_dev(disk)->kobj.kref) > 1)
			msleep(20);
	put_disk(disk);
}

/**
 * dimgblk_queue_destroy() - undo dimgblk_queue_create()
 * @dev: device whose disk was deleted and is idle (dimgblk_queue_idle()), or was
 *	never added; the caller's reference on it keeps it alive
 *
 * Drops the creator's reference on the disk.
 *
 * Context: process context; may sleep.
 */
void dimgblk_queue_destroy(struct dimgblk_device *dev)
{
	dimgblk_queue_put_disk(dev->disk);
	blk_mq_free_tag_set(&dev->tag_set);
	kfree(dev->hw_queues);
	dimgblk_workers_put(dev->workers);
}
