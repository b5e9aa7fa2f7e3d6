// SPDX-License-Identifier: GPL-2.0
/*
 * The offset inside the current segment is called bi_offset.
 *
 * Read in Linux 7.3; it is bi_bvec_done in Linux 6.1 and 6.12.
 */

#include <linux/bvec.h>

unsigned int probe(struct bvec_iter iter);
unsigned int probe(struct bvec_iter iter)
{
	return iter.bi_offset;
}
