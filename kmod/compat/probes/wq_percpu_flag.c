// SPDX-License-Identifier: GPL-2.0
/*
 * A work queue that is not unbound must say so.
 *
 * Read in Linux 7.3, which warns otherwise; no such flag in Linux 6.1 and 6.12.
 */

#include <linux/workqueue.h>

struct workqueue_struct *probe(void);
struct workqueue_struct *probe(void)
{
	return alloc_workqueue("probe", WQ_PERCPU, 0);
}
