// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink sends to those listeners only that a filter lets pass.
 *
 * Read in 6.12; 6.1 has none.
 */

#include <net/genetlink.h>

extern netlink_filter_fn probe_filter;

int probe_send(const struct genl_family *family, struct sk_buff *skb);
int probe_send(const struct genl_family *family, struct sk_buff *skb)
{
	return genlmsg_multicast_netns_filtered(family, &init_net, skb, 0, 0,
						GFP_KERNEL, probe_filter, NULL);
}
