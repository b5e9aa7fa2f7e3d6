// SPDX-License-Identifier: GPL-2.0
/*
 * The sentence of an extended acknowledgment may be formatted.
 *
 * Linux 6.3, commit 51c352bdbcd2 ("netlink: add support for formatted extack
 * messages").
 */

#include <linux/netlink.h>

void probe(struct netlink_ext_ack *extack);
void probe(struct netlink_ext_ack *extack)
{
	NL_SET_ERR_MSG_FMT(extack, "%d", 1);
}
