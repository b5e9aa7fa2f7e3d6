/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Compat: old kernels with the words of new ones.
 *
 * The driver is written for Linux 7.3; what an older kernel spells differently is
 * translated here, and nowhere else.  COMPAT_* say what holds, see probes/.  Each
 * block can be dropped, with its probe, once the oldest kernel has the new form.
 */
#ifndef _DIMGBLK_COMPAT_H
#define _DIMGBLK_COMPAT_H

#include <linux/atomic.h>
#include <linux/blk-cgroup.h>
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/bvec.h>
#include <linux/cgroup.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/memcontrol.h>
#include <linux/netlink.h>
#include <linux/sched/mm.h>
#include <linux/workqueue.h>

#include "config.h"

/*
 * Since 6.14; on older kernels no file gets its contents when it is read.  6.12.117
 * took the macro without the event, and it holds for what was never asked, a memfd.
 */
#ifndef FS_PRE_ACCESS
#undef FMODE_FSNOTIFY_HSM
#define FMODE_FSNOTIFY_HSM(mode) ((void)(mode), false)
#endif

/* probes/bdev_rot.c */
#ifndef COMPAT_BDEV_ROT
static inline bool bdev_rot(struct block_device *bdev)
{
	return !bdev_nonrot(bdev);
}
#endif

/* probes/bvec_iter_bi_offset.c */
#ifndef COMPAT_BVEC_ITER_BI_OFFSET
#define bi_offset bi_bvec_done
#endif

/* probes/no_should_merge.c: merging is what every queue does */
#ifdef COMPAT_NO_SHOULD_MERGE
#define COMPAT_MQ_F_SHOULD_MERGE 0
#else
#define COMPAT_MQ_F_SHOULD_MERGE BLK_MQ_F_SHOULD_MERGE
#endif

/* probes/wq_percpu_flag.c */
#ifdef COMPAT_WQ_PERCPU_FLAG
#define COMPAT_WQ_PERCPU WQ_PERCPU
#else
#define COMPAT_WQ_PERCPU 0
#endif

/* probes/bdev_open_takes_disk.c */
#ifdef COMPAT_BDEV_OPEN_TAKES_DISK
#define compat_device_open dimgblk_device_open
#define compat_device_close dimgblk_device_close
#else
#define blk_mode_t fmode_t
#define BLK_OPEN_EXCL FMODE_EXCL

int dimgblk_device_open(struct gendisk *disk, blk_mode_t mode);
void dimgblk_device_close(struct gendisk *disk);

static inline int compat_device_open(struct block_device *bdev, fmode_t mode)
{
	return dimgblk_device_open(bdev->bd_disk, mode);
}

static inline void compat_device_close(struct gendisk *disk, fmode_t mode)
{
	dimgblk_device_close(disk);
}
#endif

/* probes/freeze_returns_memflags.c */
#ifndef COMPAT_FREEZE_RETURNS_MEMFLAGS
static inline unsigned int compat_freeze_queue(struct request_queue *q)
{
	unsigned int memflags = memalloc_noio_save();

	blk_mq_freeze_queue(q);
	return memflags;
}

static inline void compat_unfreeze_queue(struct request_queue *q,
					 unsigned int memflags)
{
	blk_mq_unfreeze_queue(q);
	memalloc_noio_restore(memflags);
}

#define blk_mq_freeze_queue(q) compat_freeze_queue(q)
#define blk_mq_unfreeze_queue(q, memflags) compat_unfreeze_queue(q, memflags)
#endif

/*
 * probes/queue_limits_features.c: in Linux 6.1 each limit has a function, and
 * struct queue_limits is an affair of the block layer.  Only the limits that the
 * driver uses are here.
 */
#ifndef COMPAT_QUEUE_LIMITS_FEATURES
#define BLK_FEAT_WRITE_CACHE	(1U << 0)
#define BLK_FEAT_FUA		(1U << 1)
#define BLK_FEAT_ROTATIONAL	(1U << 2)
#define BLK_FEAT_STABLE_WRITES	(1U << 3)

struct compat_queue_limits {
	unsigned int features;
	unsigned int logical_block_size;
	unsigned int physical_block_size;
	unsigned int io_min;
	unsigned int max_hw_sectors;
	unsigned int max_segment_size;
	unsigned int max_hw_discard_sectors;
	unsigned int max_write_zeroes_sectors;
	unsigned int discard_granularity;
	unsigned int dma_alignment;
	unsigned short max_segments;
};

static inline void
compat_queue_set_limits(struct request_queue *q,
			const struct compat_queue_limits *lim)
{
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_io_min(q, lim->io_min);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_dma_alignment(q, lim->dma_alignment);
	q->limits.discard_granularity = lim->discard_granularity;
	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);
	blk_queue_write_cache(q, lim->features & BLK_FEAT_WRITE_CACHE,
			      lim->features & BLK_FEAT_FUA);
	if (!(lim->features & BLK_FEAT_ROTATIONAL))
		blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	if (lim->features & BLK_FEAT_STABLE_WRITES)
		blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, q);
}

static inline struct gendisk *
compat_alloc_disk(struct blk_mq_tag_set *set,
		  const struct compat_queue_limits *lim, void *queuedata)
{
	struct gendisk *disk = blk_mq_alloc_disk(set, queuedata);

	if (!IS_ERR(disk))
		compat_queue_set_limits(disk->queue, lim);
	return disk;
}

static inline void blk_queue_disable_discard(struct request_queue *q)
{
	blk_queue_max_discard_sectors(q, 0);
}

static inline void blk_queue_disable_write_zeroes(struct request_queue *q)
{
	blk_queue_max_write_zeroes_sectors(q, 0);
}

#undef blk_mq_alloc_disk
#define blk_mq_alloc_disk(set, lim, data) compat_alloc_disk(set, lim, data)
#define queue_limits compat_queue_limits
#endif

/*
 * probes/nl_set_err_msg_fmt.c: the sentence must outlive the handler, until the
 * core copies it into the acknowledgment, and Linux 6.1 has no room for it in
 * struct netlink_ext_ack.  So it is kept in one of several static buffers, taken
 * in turn; should that many requests be refused at once, one of them reads the
 * sentence of another.
 */
#ifndef COMPAT_NL_SET_ERR_MSG_FMT
#define COMPAT_MSG_BUFS	64
#define COMPAT_MSG_LEN	80

static inline char *compat_msg_buf(void)
{
	static char bufs[COMPAT_MSG_BUFS][COMPAT_MSG_LEN];
	static atomic_t next;

	return bufs[(unsigned int)atomic_inc_return(&next) % COMPAT_MSG_BUFS];
}

#define NL_SET_ERR_MSG_FMT(extack, fmt, args...) do {		\
	char *__buf = compat_msg_buf();				\
								\
	snprintf(__buf, COMPAT_MSG_LEN, fmt, ##args);		\
	(extack)->_msg = __buf;					\
} while (0)
#endif

/*
 * probes/backing_file.c: on Linux 6.1 each asynchronous read of an overlayfs file that
 * was opened before its copy-up opens the copy, and nobody closes it.
 */
#ifdef COMPAT_BACKING_FILE
#define COMPAT_OVERLAY_AIO_READ_LEAKS false
#else
#define COMPAT_OVERLAY_AIO_READ_LEAKS true
#endif

/*
 * probes/genl_filtered_multicast.c: Linux 6.1 asks only who joins the group, and not if
 * it was joined before there was a family with it.
 */
#ifndef COMPAT_GENL_FILTERED_MULTICAST
#define genlmsg_multicast_netns_filtered(family, net, skb, portid, group,	\
					 flags, filter, data)		\
	((void)(filter), (void)(data),					\
	 genlmsg_multicast_netns(family, net, skb, portid, group, flags))
#endif

/*
 * The memory cgroup of the tasks in @cgroup, with a reference, or NULL when the
 * kernel has none.  Not a matter of version but of configuration.
 */
static inline struct cgroup_subsys_state *
compat_get_memcg_css(struct cgroup *cgroup)
{
#if defined(CONFIG_BLK_CGROUP) && defined(CONFIG_MEMCG)
	return cgroup_get_e_css(cgroup, &memory_cgrp_subsys);
#else
	return NULL;
#endif
}

#endif /* _DIMGBLK_COMPAT_H */
