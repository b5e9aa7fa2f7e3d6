// SPDX-License-Identifier: GPL-2.0
/*
 * Errors: what a request that failed leaves behind.
 *
 * Owns the record of a device, and what of an errno of the backing file is told
 * to whom.  The record is how many requests failed since attach, and the first
 * and the last of them: the log forgets, is rate-limited and shared, but who
 * looks at a device an hour later still has to learn what its storage said
 * first.  Requests that succeed do not come here.
 */

#include <linux/blk-mq.h>
#include <linux/timekeeping.h>

#include "dimgblk.h"

/**
 * dimgblk_errors_setup() - begin with an empty record
 * @errors: record of a new device
 */
void dimgblk_errors_setup(struct dimgblk_errors *errors)
{
	spin_lock_init(&errors->lock);
}

static void dimgblk_errors_note(struct dimgblk_errors *errors,
				const struct dimgblk_error *error)
{
	/*
	 * Work items of several lanes and hardware queues fail requests at the
	 * same time on several CPUs, and count, first and last belong together.
	 * The lock is the innermost, held for a copy.  No request ends with an
	 * error in interrupt context (see dimgblk_cmd_complete()), so interrupts
	 * stay on.
	 */
	spin_lock(&errors->lock);
	errors->last = *error;
	if (!errors->count++)
		errors->first = *error;
	spin_unlock(&errors->lock);
}

/**
 * dimgblk_errors_get() - take a look at the record
 * @errors: record of a device
 * @first: set to the first error, if there was one
 * @last: set to the last one
 *
 * Context: process context.
 *
 * Return: how many requests failed.
 */
u64 dimgblk_errors_get(struct dimgblk_errors *errors,
		       struct dimgblk_error *first, struct dimgblk_error *last)
{
	u64 count;

	spin_lock(&errors->lock);
	count = errors->count;
	*first = errors->first;
	*last = errors->last;
	spin_unlock(&errors->lock);
	return count;
}

/* May requests of this kind fail because nobody below can do it? */
static bool dimgblk_errors_is_optional(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
	case REQ_OP_WRITE:
	case REQ_OP_FLUSH:
		return false;
	default:
		return true;
	}
}

static enum dimgblk_io_op dimgblk_errors_op(const struct request *rq)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		return DIMGBLK_IO_OP_READ;
	case REQ_OP_FLUSH:
		return DIMGBLK_IO_OP_FLUSH;
	case REQ_OP_DISCARD:
		return DIMGBLK_IO_OP_DISCARD;
	case REQ_OP_WRITE_ZEROES:
		return DIMGBLK_IO_OP_WRITE_ZEROES;
	default:
		return DIMGBLK_IO_OP_WRITE;
	}
}

/**
 * dimgblk_errors_answer() - take the failure of a request down
 * @dev: device
 * @rq: request that is about to end
 * @err: negative errno
 *
 * Context: process context, NOIO; may sleep.
 *
 * Return: the errno to end it with.
 */
int dimgblk_errors_answer(struct dimgblk_device *dev, struct request *rq,
			  int err)
{
	struct dimgblk_error error = {
		.err = err,
		.op = dimgblk_errors_op(rq),
		.time = ktime_get_real_ns(),
	};

	/* Asked and answered: nothing that has to be told. */
	if (err == -EOPNOTSUPP && dimgblk_errors_is_optional(rq)) {
		rq->rq_flags |= RQF_QUIET;
		return err;
	}
	if (error.op != DIMGBLK_IO_OP_FLUSH) {
		error.pos = (u64)blk_rq_pos(rq) << SECTOR_SHIFT;
		error.len = blk_rq_bytes(rq);
	}
	/* What an administrator has made fail must not hide what made him. */
	if (dimgblk_device_public_state(dev) != DIMGBLK_STATE_DEAD)
		dimgblk_errors_note(&dev->errors, &error);
	dimgblk_event_error(dev, &error);
	/*
	 * They would be taken for the answer to a question that was not asked:
	 * EAGAIN by md and others for a property of the caller, EOPNOTSUPP of a
	 * flush by fsync() for "there is nothing to flush", EINVAL by md (7.3)
	 * for a fault of the caller, after which it calls the write done,
	 * EREMCHG by device mapper for its own wish to be asked again.
	 */
	switch (err) {
	case -EAGAIN:
	case -EINVAL:
	case -EOPNOTSUPP:
	case -EREMCHG:
		return -EIO;
	default:
		return err;
	}
}
