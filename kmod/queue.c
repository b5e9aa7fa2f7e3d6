// SPDX-License-Identifier: GPL-2.0
/*
 * Queue: everything that touches struct request.
 *
 * Owns the way of a request from ->queue_rq to its end.  The submitter puts it
 * on a lockless list, one work item per batch takes the list over and turns each
 * request into calls on the backing file.  Nothing here knows struct file; see
 * backing.c for that, geometry.c for the arithmetic, and
 * Documentation/life-of-a-request.rst for the tour.
 */

#include <linux/blk-mq.h>
#include <linux/kthread.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "dimgblk.h"

/**
 * struct dimgblk_cmd - what the driver remembers of one request (its PDU)
 * @node: on dimgblk_lane.cmds
 * @lane: the lane of the command
 * @iocb: the read or write under way
 * @ref: who still needs @iocb and the segments: the submitting call and the
 *	completion, hence 2
 * @ret: result of @iocb
 * @done: bytes transferred so far
 * @bvecs: segments of a merged request: @inline_bvecs or allocated
 * @inline_bvecs: room for the usual case
 */
struct dimgblk_cmd {
	struct llist_node node;
	struct dimgblk_lane *lane;
	struct kiocb iocb;
	refcount_t ref;
	long ret;
	unsigned int done;
	struct bio_vec *bvecs;
	struct bio_vec inline_bvecs[DIMGBLK_INLINE_BVECS];
};

/*
 * End the request; @cmd belongs to nobody afterwards.  Task context only: the
 * caller is a work item, so the softirq that blk_mq_complete_request() would
 * raise, and the wake-up of ksoftirqd, are saved.
 */
static void dimgblk_cmd_end(struct dimgblk_cmd *cmd, int err)
{
	struct request *rq = blk_mq_rq_from_pdu(cmd);
	struct bio *bio;

	if (cmd->bvecs != cmd->inline_bvecs)
		kfree(cmd->bvecs);
	if (unlikely(err)) {
		/*
		 * A read that failed half way must not show what the pages held
		 * before.
		 */
		if (req_op(rq) == REQ_OP_READ)
			__rq_for_each_bio(bio, rq)
				zero_fill_bio(bio);
		/* Asked and answered: not an error to tell the log about. */
		if (err == -EOPNOTSUPP)
			rq->rq_flags |= RQF_QUIET;
		else
			dimgblk_event_error(cmd->lane->dev, err,
					    blk_rq_pos(rq));
		/*
		 * Only a request that asked for it may fail with EAGAIN: md
		 * and others take it for a property of the caller.
		 */
		if (err == -EAGAIN)
			err = -EIO;
	}
	blk_mq_end_request(rq, errno_to_blk_status(err));
}

/* Count @ret in.  Return: true when the transfer is over, with @err set. */
static bool dimgblk_cmd_advance(struct dimgblk_cmd *cmd, long ret, int *err)
{
	unsigned int left = blk_rq_bytes(blk_mq_rq_from_pdu(cmd)) - cmd->done;

	/*
	 * Nothing at all: the end of a file that was truncated.  More than
	 * asked for: a broken file system.
	 */
	if (ret == 0 || ret > left)
		ret = -EIO;
	*err = ret < 0 ? ret : 0;
	if (ret < 0)
		return true;
	cmd->done += ret;
	return ret == left;
}

/*
 * The file system is done with @cmd->iocb.  May run in interrupt context, so
 * anything but full success is left to the work item: it retries the rest of a
 * partial transfer and reports errors.
 */
static void dimgblk_cmd_complete(struct kiocb *iocb, long ret)
{
	struct dimgblk_cmd *cmd = container_of(iocb, struct dimgblk_cmd, iocb);
	struct request *rq = blk_mq_rq_from_pdu(cmd);
	struct dimgblk_lane *lane = cmd->lane;

	if (req_op(rq) == REQ_OP_WRITE)
		dimgblk_backing_rw_done(&lane->dev->backing, iocb);
	WRITE_ONCE(cmd->ret, ret);
	if (!refcount_dec_and_test(&cmd->ref))
		return;		/* dimgblk_cmd_submit() takes it from here */

	if (ret == blk_rq_bytes(rq) - cmd->done) {
		cmd->done += ret;
		blk_mq_complete_request(rq);
		return;
	}
	llist_add(&cmd->node, &lane->cmds);
	queue_work(lane->wq, &lane->work);
}

/* ->complete of blk-mq: the CPU that shall end the request, all bytes done. */
static void dimgblk_queue_complete_rq(struct request *rq)
{
	struct dimgblk_cmd *cmd = blk_mq_rq_to_pdu(rq);

	if (cmd->bvecs != cmd->inline_bvecs)
		kfree(cmd->bvecs);
	blk_mq_end_request(rq, BLK_STS_OK);
}

/*
 * Copy the segments of @rq from byte @cmd->done on, at most @max of them, to
 * @cmd->bvecs.  Return: their number, and their length in @len.
 */
static unsigned int dimgblk_cmd_copy_bvecs(struct dimgblk_cmd *cmd,
					   unsigned int max, unsigned int *len)
{
	struct request *rq = blk_mq_rq_from_pdu(cmd);
	unsigned int skip = cmd->done;
	struct req_iterator iter;
	unsigned int nr = 0;
	struct bio_vec bv;

	*len = 0;
	rq_for_each_bvec(bv, rq, iter) {
		if (skip >= bv.bv_len) {
			skip -= bv.bv_len;
			continue;
		}
		if (nr == max)
			break;
		bv.bv_offset += skip;
		bv.bv_len -= skip;
		skip = 0;
		*len += bv.bv_len;
		cmd->bvecs[nr++] = bv;
	}
	return nr;
}

static unsigned int dimgblk_cmd_count_bvecs(struct request *rq)
{
	struct req_iterator iter;
	unsigned int nr = 0;
	struct bio_vec bv;

	rq_for_each_bvec(bv, rq, iter)
		nr++;
	return nr;
}

/* Describe the bytes from @cmd->done on, or as many as there is room for. */
static void dimgblk_cmd_iter(struct dimgblk_cmd *cmd, struct iov_iter *iter)
{
	struct request *rq = blk_mq_rq_from_pdu(cmd);
	unsigned int dir = rq_data_dir(rq) == WRITE ? ITER_SOURCE : ITER_DEST;
	unsigned int nr = dimgblk_cmd_count_bvecs(rq);
	unsigned int len;

	/* One bio, the usual case: its own segments will do, uncopied. */
	if (rq->bio == rq->biotail) {
		iov_iter_bvec(iter, dir,
			      __bvec_iter_bvec(rq->bio->bi_io_vec,
					       rq->bio->bi_iter),
			      nr, blk_rq_bytes(rq));
		iter->iov_offset = rq->bio->bi_iter.bi_offset;
		iov_iter_advance(iter, cmd->done);
		return;
	}
	/*
	 * Memory may be short because it is waiting to be written through us:
	 * without room for all segments the request goes in several pieces, as
	 * if the file system had transferred a part.
	 */
	if (nr > DIMGBLK_INLINE_BVECS && cmd->bvecs == cmd->inline_bvecs) {
		struct bio_vec *bvecs;

		bvecs = kmalloc_array(nr, sizeof(*bvecs),
				      GFP_NOIO | __GFP_NOWARN);
		if (bvecs)
			cmd->bvecs = bvecs;
	}
	if (cmd->bvecs == cmd->inline_bvecs)
		nr = DIMGBLK_INLINE_BVECS;
	nr = dimgblk_cmd_copy_bvecs(cmd, nr, &len);
	iov_iter_bvec(iter, dir, cmd->bvecs, nr, len);
}

/*
 * Hand the bytes from @cmd->done on to the file system.
 *
 * Return: number of bytes or errno; -EIOCBQUEUED when dimgblk_cmd_complete()
 * has or will have the last word, and @cmd must not be touched any more.
 */
static long dimgblk_cmd_submit(struct dimgblk_cmd *cmd, loff_t pos)
{
	struct request *rq = blk_mq_rq_from_pdu(cmd);
	struct dimgblk_device *dev = cmd->lane->dev;
	bool direct = cmd->lane->direct;
	struct iov_iter iter;
	long ret;

	dimgblk_cmd_iter(cmd, &iter);
	cmd->iocb = (struct kiocb) {
		.ki_filp = dev->backing.file,
		.ki_pos = pos + cmd->done,
		.ki_ioprio = req_get_ioprio(rq),
		/*
		 * Never the flags of the file: its owner may change them, and
		 * O_APPEND would send writes to the end of the file.
		 */
		.ki_flags = (direct ? IOCB_DIRECT : 0) |
			    (rq->cmd_flags & REQ_FUA ? IOCB_DSYNC : 0),
		.ki_complete = direct ? dimgblk_cmd_complete : NULL,
	};
	/*
	 * The file system reads @cmd->iocb and the segments until its method
	 * returns, even if the I/O ended before that on another CPU.  So the
	 * command is finished by the later of the two.
	 */
	refcount_set(&cmd->ref, 2);
	ret = dimgblk_backing_rw(&dev->backing, &cmd->iocb, &iter);
	if (ret != -EIOCBQUEUED)
		return ret;	/* there is and will be no completion */
	if (!refcount_dec_and_test(&cmd->ref))
		return -EIOCBQUEUED;
	return READ_ONCE(cmd->ret);
}

/* Read or write until all is transferred, something failed, or I/O is async. */
static void dimgblk_cmd_rw(struct dimgblk_cmd *cmd, loff_t pos)
{
	long ret;
	int err;

	do {
		ret = dimgblk_cmd_submit(cmd, pos);
		if (ret == -EIOCBQUEUED)
			return;
	} while (!dimgblk_cmd_advance(cmd, ret, &err));
	dimgblk_cmd_end(cmd, err);
}

/* Note that an operation is not to be had, and tell the block layer later. */
static int dimgblk_cmd_no_punch_hole(struct dimgblk_device *dev)
{
	if (!READ_ONCE(dev->no_punch_hole)) {
		WRITE_ONCE(dev->no_punch_hole, true);
		schedule_work(&dev->limits_work);
	}
	return -EOPNOTSUPP;
}

static int dimgblk_cmd_punch_hole(struct dimgblk_device *dev, loff_t pos,
				  loff_t len)
{
	int err;

	if (READ_ONCE(dev->no_punch_hole))
		return -EOPNOTSUPP;
	err = dimgblk_backing_punch_hole(&dev->backing, pos, len);
	return err == -EOPNOTSUPP ? dimgblk_cmd_no_punch_hole(dev) : err;
}

/*
 * Zero and keep the blocks: a later write must not fail for want of space.  The
 * block layer writes zeroes when the file system cannot do it.
 */
static int dimgblk_cmd_zero_range(struct dimgblk_device *dev, loff_t pos,
				  loff_t len)
{
	int err;

	if (READ_ONCE(dev->no_zero_range))
		return -EOPNOTSUPP;
	err = dimgblk_backing_zero_range(&dev->backing, pos, len);
	if (err == -EOPNOTSUPP)
		WRITE_ONCE(dev->no_zero_range, true);
	return err;
}

static int dimgblk_cmd_write_zeroes(struct dimgblk_device *dev,
				    struct request *rq, loff_t pos)
{
	if (rq->cmd_flags & REQ_NOUNMAP)
		return dimgblk_cmd_zero_range(dev, pos, blk_rq_bytes(rq));
	return dimgblk_cmd_punch_hole(dev, pos, blk_rq_bytes(rq));
}

/*
 * Is the request allowed, and where in the file does it go?  The block layer
 * checks both before us; these are the checks that the promises stand on.
 */
static int dimgblk_cmd_check(struct dimgblk_device *dev, struct request *rq,
			     loff_t *pos)
{
	u64 start = 0;

	/* Pairs with WRITE_ONCE() in dimgblk_device_set_state(). */
	if (READ_ONCE(dev->state) == DIMGBLK_DEAD)
		return -EIO;
	if (op_is_write(req_op(rq)) && dev->backing.read_only)
		return -EROFS;
	if (req_op(rq) != REQ_OP_FLUSH &&
	    !dimgblk_geometry_map(dev->geometry.offset,
				  atomic64_read(&dev->size), blk_rq_pos(rq),
				  blk_rq_bytes(rq), &start))
		return -EIO;
	*pos = start;
	return 0;
}

/**
 * struct dimgblk_drain - what the commands of one batch share
 * @blkcg: blkcg that the worker is charged to, or NULL
 * @memcg: memory cgroup likewise, a reference, or NULL
 * @old_memcg: what it was before the first command
 * @synced: a flush of this batch was served
 * @sync_error: its result, which is that of every flush of the batch: all of
 *	them were queued before it began
 */
struct dimgblk_drain {
	struct cgroup_subsys_state *blkcg;
	struct cgroup_subsys_state *memcg;
	struct mem_cgroup *old_memcg;
	bool synced;
	int sync_error;
};

/* Serve the flushes of one batch by one call. */
static int dimgblk_cmd_flush(struct dimgblk_device *dev,
			     struct dimgblk_drain *drain)
{
	if (!drain->synced) {
		drain->sync_error = dimgblk_backing_sync(dev->backing.file,
							 true);
		drain->synced = true;
	}
	return drain->sync_error;
}

/* Do what the request wants and end it, now or on completion. */
static void dimgblk_cmd_run(struct dimgblk_cmd *cmd,
			    struct dimgblk_drain *drain)
{
	struct request *rq = blk_mq_rq_from_pdu(cmd);
	struct dimgblk_device *dev = cmd->lane->dev;
	loff_t pos;
	int err;

	err = dimgblk_cmd_check(dev, rq, &pos);
	if (err) {
		dimgblk_cmd_end(cmd, err);
		return;
	}
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		dimgblk_cmd_rw(cmd, pos);
		return;
	case REQ_OP_FLUSH:
		err = dimgblk_cmd_flush(dev, drain);
		break;
	case REQ_OP_DISCARD:
		err = dimgblk_cmd_punch_hole(dev, pos, blk_rq_bytes(rq));
		break;
	case REQ_OP_WRITE_ZEROES:
		err = dimgblk_cmd_write_zeroes(dev, rq, pos);
		break;
	default:
		err = -EOPNOTSUPP;
	}
	dimgblk_cmd_end(cmd, err);
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

/*
 * A command comes back to its lane when its asynchronous transfer ended short
 * or failed.  Return: true when there is something left to do.
 */
static bool dimgblk_cmd_resume(struct dimgblk_cmd *cmd)
{
	int err;

	if (cmd->ret == -EIOCBQUEUED)
		return true;	/* fresh from dimgblk_queue_rq() */
	if (dimgblk_cmd_advance(cmd, cmd->ret, &err)) {
		dimgblk_cmd_end(cmd, err);
		return false;
	}
	return true;
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

static enum dimgblk_lane_kind
dimgblk_queue_lane_kind(const struct dimgblk_device *dev, struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
		/* Pairs with WRITE_ONCE() in dimgblk_device_set_direct(). */
		return READ_ONCE(dev->direct_in_use) ? DIMGBLK_LANE_DIRECT
						     : DIMGBLK_LANE_BUFFERED;
	default:
		return DIMGBLK_LANE_SLOW;
	}
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

	blk_mq_start_request(bd->rq);
	/* A worker may wait, so the request need not be refused with EAGAIN. */
	bd->rq->cmd_flags &= ~REQ_NOWAIT;
	cmd->lane = &hwq->lanes[dimgblk_queue_lane_kind(hctx->queue->queuedata,
							bd->rq)];
	cmd->ret = -EIOCBQUEUED;
	cmd->done = 0;
	cmd->bvecs = cmd->inline_bvecs;
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
		/* Direct I/O may be switched on later: be ready for it. */
		.dma_alignment = clamp_t(u32, backing->dio_mem_align,
					 SECTOR_SIZE, PAGE_SIZE) - 1,
	};
	if (backing->stable_writes)
		lim->features |= BLK_FEAT_STABLE_WRITES;
	if (backing->rotational)
		lim->features |= BLK_FEAT_ROTATIONAL;
	if (backing->read_only)
		return;
	lim->features |= BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA;
	if (!backing->discard_granularity ||
	    (backing->is_bdev &&
	     dev->geometry.offset & (backing->block_size - 1)))
		return;
	lim->discard_granularity = max(block_size,
				       backing->discard_granularity);
	lim->max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
	lim->max_write_zeroes_sectors = UINT_MAX >> SECTOR_SHIFT;
}

/*
 * The file system turned out to be unable to punch holes: withdraw discard and
 * write-zeroes.  From a work item, since changing limits waits for requests.
 */
static void dimgblk_queue_limits_work(struct work_struct *work)
{
	struct dimgblk_device *dev =
		container_of(work, struct dimgblk_device, limits_work);
	struct request_queue *q = dev->disk->queue;
	struct queue_limits lim;

	lim = queue_limits_start_update(q);
	lim.max_hw_discard_sectors = 0;
	lim.max_write_zeroes_sectors = 0;
	lim.discard_granularity = 0;
	if (queue_limits_commit_update_frozen(q, &lim))
		dev_warn(disk_to_dev(dev->disk),
			 "discard is not supported but stays advertised\n");
}

static void dimgblk_lane_init(struct dimgblk_lane *lane,
			      struct dimgblk_device *dev,
			      enum dimgblk_lane_kind kind)
{
	init_llist_head(&lane->cmds);
	INIT_WORK(&lane->work, dimgblk_lane_work);
	lane->wq = dimgblk_workers_wq(dev->workers,
				      kind == DIMGBLK_LANE_DIRECT);
	lane->dev = dev;
	lane->direct = kind == DIMGBLK_LANE_DIRECT;
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
	dev->tag_set = (struct blk_mq_tag_set) {
		.ops = &dimgblk_queue_ops,
		.nr_hw_queues = dev->nr_hw_queues,
		.queue_depth = dev->queue_depth,
		.cmd_size = sizeof(struct dimgblk_cmd),
		.numa_node = NUMA_NO_NODE,
		/*
		 * Tags shared by the hardware queues keep memory at one queue's
		 * worth; the file system below sorts requests better than a
		 * scheduler here could.
		 */
		.flags = COMPAT_MQ_F_SHOULD_MERGE | BLK_MQ_F_TAG_HCTX_SHARED |
			 BLK_MQ_F_NO_SCHED_BY_DEFAULT,
		.driver_data = dev,
	};
	return blk_mq_alloc_tag_set(&dev->tag_set);
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

	INIT_WORK(&dev->limits_work, dimgblk_queue_limits_work);
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
 * A request may end before the work item that ran it returns.
 *
 * Context: process context; may sleep.
 */
void dimgblk_queue_idle(struct dimgblk_device *dev)
{
	enum dimgblk_lane_kind kind;
	unsigned int i;

	for (i = 0; i < dev->nr_hw_queues; i++)
		for (kind = 0; kind < DIMGBLK_NR_LANES; kind++)
			flush_work(&dev->hw_queues[i].lanes[kind].work);
}

/**
 * dimgblk_queue_destroy() - undo dimgblk_queue_create()
 * @dev: device whose disk was deleted or never added; the caller's reference
 *	on it keeps it alive
 *
 * Drops the creator's reference on the disk.
 *
 * Context: process context; may sleep.
 */
void dimgblk_queue_destroy(struct dimgblk_device *dev)
{
	cancel_work_sync(&dev->limits_work);
	dimgblk_queue_idle(dev);
	/* A disk that was never added uses its tags until it is released. */
	put_disk(dev->disk);
	blk_mq_free_tag_set(&dev->tag_set);
	kfree(dev->hw_queues);
	dimgblk_workers_put(dev->workers);
}
