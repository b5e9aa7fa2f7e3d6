// SPDX-License-Identifier: GPL-2.0
/*
 * Merging is the default and the flag that asked for it is gone.
 *
 * Linux 6.14, commit 9377b95cda73 ("block: remove BLK_MQ_F_SHOULD_MERGE").
 */

#include <linux/blk-mq.h>

enum { BLK_MQ_F_SHOULD_MERGE = 0 };
