// SPDX-License-Identifier: GPL-2.0
/*
 * struct queue_limits has features and is given to blk_mq_alloc_disk().
 *
 * Linux 6.9, commit 27e32cd23fed ("block: pass a queue_limits argument to
 * blk_mq_alloc_disk"); Linux 6.11, commit 1122c0c1cc71 ("block: move cache
 * control settings out of queue->flags").
 */

#include <linux/blk-mq.h>

struct gendisk *probe(struct blk_mq_tag_set *set);
struct gendisk *probe(struct blk_mq_tag_set *set)
{
	struct queue_limits lim = { .features = BLK_FEAT_FUA };

	return blk_mq_alloc_disk(set, &lim, NULL);
}
