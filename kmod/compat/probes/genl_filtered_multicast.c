// SPDX-License-Identifier: GPL-2.0
/*
 * Generic netlink sends to those listeners only that a filter lets pass.
 *
 * Read in 6.12; 6.1 has none.
 */

#include <net/genetlink.h>

int probe_send(const struct genl_family *family, struct sk_buff *skb,
	       netlink_filter_fn filter);
int probe_send(const struct genl_family *family, struct sk_buff *skb,
	       netlink_filter_fn filter)
{
	return genlmsg_multicast_netns_filtered(family, &init_net, skb, 0, 0,
						GFP_KERNEL, filter, NULL);
}
