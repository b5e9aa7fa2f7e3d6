// SPDX-License-Identifier: GPL-2.0
/*
 * Cmd: what becomes of one request.
 *
 * Owns the steps between a work item that picked a command up and the end of its
 * request: the checks, the mapping to the backing file, and partial transfers.
 * When and where commands run is queue.c's affair, which is to be read first; how
 * files are read and written is backing.c's, what is told of failures errors.c's.
 */

#include <linux/blk-mq.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/uio.h>

#include "dimgblk.h"

/**
 * dimgblk_cmd_init() - set up the command of a new request
 * @cmd: the PDU of the request
 * @lane: where it will run
 * @direct: bypass the page cache
 *
 * Context: any.
 */
void dimgblk_cmd_init(struct dimgblk_cmd *cmd, struct dimgblk_lane *lane,
		      bool direct)
{
	cmd->lane = lane;
	cmd->ret = -EIOCBQUEUED;
	cmd->done = 0;
	cmd->direct = direct;
	cmd->bvecs = cmd->inline_bvecs;
}

/**
 * dimgblk_cmd_succeed() - end a request that was transferred whole
 * @cmd: its command, gone on return
 *
 * Context: any.
 */
void dimgblk_cmd_succeed(struct dimgblk_cmd *cmd)
{
	if (cmd->bvecs != cmd->inline_bvecs)
		kfree(cmd->bvecs);
	blk_mq_end_request(blk_mq_rq_from_pdu(cmd), BLK_STS_OK);
}

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
		err = dimgblk_errors_answer(cmd->lane->dev, rq, err);
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
	if (ret == 0 || (ret > 0 && ret > left))
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
	/*
	 * Once on the list the command may be run and ended by a work item that
	 * was queued before; dimgblk_queue_idle() waits for this section before
	 * the lane goes away.
	 */
	rcu_read_lock();
	llist_add(&cmd->node, &lane->cmds);
	queue_work(lane->wq, &lane->work);
	rcu_read_unlock();
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
	struct bio_vec *rest;
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
		/* Not @bv itself: the loop goes on by its length. */
		rest = &cmd->bvecs[nr++];
		*rest = bv;
		rest->bv_offset += skip;
		rest->bv_len -= skip;
		skip = 0;
		*len += rest->bv_len;
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
	/* Direct I/O takes whole blocks only. */
	if (len < blk_rq_bytes(rq) - cmd->done)
		len = round_down(len, queue_logical_block_size(rq->q));
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
		.ki_flags = (cmd->direct ? IOCB_DIRECT : 0) |
			    (req_op(rq) == REQ_OP_WRITE ? IOCB_WRITE : 0) |
			    (rq->cmd_flags & REQ_FUA ? IOCB_DSYNC : 0),
		.ki_complete = cmd->direct || dev->backing.async_only ?
			       dimgblk_cmd_complete : NULL,
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

/*
 * Note that an operation is not to be had, and offer it no longer.  Without a freeze, which
 * would wait for requests that may hang: who has just seen it offered gets EOPNOTSUPP.
 * Again each time, as who changes another limit may bring back what was there.
 */
static int dimgblk_cmd_no_punch_hole(struct dimgblk_device *dev)
{
	WRITE_ONCE(dev->no_punch_hole, true);
	blk_queue_disable_discard(dev->disk->queue);
	blk_queue_disable_write_zeroes(dev->disk->queue);
	return -EOPNOTSUPP;
}

static int dimgblk_cmd_punch_hole(struct dimgblk_device *dev, loff_t pos,
				  loff_t len)
{
	int err;

	if (READ_ONCE(dev->no_punch_hole))
		return dimgblk_cmd_no_punch_hole(dev);
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
	/*
	 * Past the end of a file that was truncated neither would make the bytes
	 * readable; a write does, so let the block layer write zeroes.
	 */
	if (!dimgblk_backing_covers(&dev->backing, pos + blk_rq_bytes(rq)))
		return -EOPNOTSUPP;
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

	/* Pairs with WRITE_ONCE() in dimgblk_device_set_state() and detach. */
	if (READ_ONCE(dev->state) == DIMGBLK_DEAD || READ_ONCE(dev->fail_io))
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

/* Serve the flushes of one batch by one call. */
static int dimgblk_cmd_flush(struct dimgblk_device *dev,
			     struct dimgblk_drain *drain)
{
	if (!drain->synced) {
		drain->sync_error = dimgblk_backing_sync(&dev->backing,
							 dev->backing.file,
							 true);
		drain->synced = true;
	}
	return drain->sync_error;
}

/**
 * dimgblk_cmd_run() - do what the request wants
 * @cmd: command, gone on return: ended, or to be ended on completion
 * @drain: state of the batch
 *
 * Context: work item, NOIO.
 */
void dimgblk_cmd_run(struct dimgblk_cmd *cmd, struct dimgblk_drain *drain)
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

/**
 * dimgblk_cmd_resume() - pick a command up
 * @cmd: command, fresh from the block layer, or back because its asynchronous
 *	transfer ended short or failed
 *
 * Context: work item.
 *
 * Return: true when there is something left to do, false when it was ended.
 */
bool dimgblk_cmd_resume(struct dimgblk_cmd *cmd)
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
