// SPDX-License-Identifier: GPL-2.0
/*
 * Events: telling userspace what happened.
 *
 * Owns the messages of the multicast group.  May be called from every other
 * file; nobody waits for an event and a lost one changes nothing.
 */

#include <linux/capability.h>
#include <linux/net.h>
#include <net/genetlink.h>
#include <net/sock.h>

#include "dimgblk.h"
#include "netlink-gen.h"

/* What all events tell.  Only fields that need no lock to read. */
static int dimgblk_event_fill(struct sk_buff *skb, struct dimgblk_device *dev,
			      enum dimgblk_event_type type)
{
	enum dimgblk_device_state state = type == DIMGBLK_EVENT_DETACH ?
		DIMGBLK_STATE_DETACHED : dimgblk_device_public_state(dev);

	if (nla_put_u32(skb, DIMGBLK_A_EVENT, type) ||
	    nla_put_u32(skb, DIMGBLK_A_INDEX, dev->index) ||
	    nla_put_u64_64bit(skb, DIMGBLK_A_DISKSEQ, dev->disk->diskseq,
			      DIMGBLK_A_PAD) ||
	    nla_put_u64_64bit(skb, DIMGBLK_A_CAPACITY,
			      atomic64_read(&dev->size) >> SECTOR_SHIFT,
			      DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_DIRECT, READ_ONCE(dev->direct)) ||
	    nla_put_u32(skb, DIMGBLK_A_DIRECT_IN_USE,
			READ_ONCE(dev->direct_in_use)) ||
	    nla_put_u32(skb, DIMGBLK_A_STATE, state))
		return -EMSGSIZE;
	if (dev->name[0] && nla_put_string(skb, DIMGBLK_A_NAME, dev->name))
		return -EMSGSIZE;
	return 0;
}

/*
 * The core asks those who join a group, but lets everybody join what is no group yet:
 * before the module is loaded.  Return: true if this socket gets no event.
 */
static int dimgblk_event_filter(struct sock *dsk, struct sk_buff *skb,
				void *data)
{
	return !file_ns_capable(dsk->sk_socket->file, &init_user_ns,
				CAP_SYS_ADMIN);
}

static void dimgblk_event_send(struct dimgblk_device *dev,
			       enum dimgblk_event_type type,
			       const struct dimgblk_error *error)
{
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&dimgblk_nl_family, &init_net,
				DIMGBLK_NLGRP_EVENTS))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb)
		goto err_tell_loss;
	hdr = genlmsg_put(skb, 0, 0, &dimgblk_nl_family, 0,
			  DIMGBLK_CMD_DEVICE_EVENT);
	if (!hdr || dimgblk_event_fill(skb, dev, type))
		goto err_free_skb;
	if (error && nla_put_s32(skb, DIMGBLK_A_ERROR, error->err))
		goto err_free_skb;
	if (error && error->op != DIMGBLK_IO_OP_FLUSH &&
	    nla_put_u64_64bit(skb, DIMGBLK_A_ERROR_SECTOR,
			      error->pos >> SECTOR_SHIFT, DIMGBLK_A_PAD))
		goto err_free_skb;
	genlmsg_end(skb, hdr);
	genlmsg_multicast_netns_filtered(&dimgblk_nl_family, &init_net, skb, 0,
					 DIMGBLK_NLGRP_EVENTS, GFP_KERNEL,
					 dimgblk_event_filter, NULL);
	return;

err_free_skb:
	nlmsg_free(skb);
err_tell_loss:
	/* As when a listener is too slow: it knows that it must look anew. */
	genl_set_err(&dimgblk_nl_family, &init_net, 0, DIMGBLK_NLGRP_EVENTS,
		     -ENOBUFS);
}

/**
 * dimgblk_event() - tell that something happened to a device
 * @dev: device
 * @type: what happened, not DIMGBLK_EVENT_DETACH or DIMGBLK_EVENT_ERROR
 *
 * Context: process context; may sleep.
 */
void dimgblk_event(struct dimgblk_device *dev, enum dimgblk_event_type type)
{
	dimgblk_event_send(dev, type, NULL);
}

/**
 * dimgblk_event_detach() - tell that a device is gone
 * @dev: device
 * @err: negative errno of the last sync of the backing file, or 0
 *
 * Context: process context; may sleep.
 */
void dimgblk_event_detach(struct dimgblk_device *dev, int err)
{
	const struct dimgblk_error error = {
		.err = err,
		.op = DIMGBLK_IO_OP_FLUSH,
	};

	dimgblk_event_send(dev, DIMGBLK_EVENT_DETACH, err ? &error : NULL);
}

/**
 * dimgblk_event_error() - tell that a request failed
 * @dev: device
 * @error: what was wanted, where, and the errno
 *
 * A few per interval and device; the block layer logs the rest of the story.
 *
 * Context: process context, NOIO; may sleep.
 */
void dimgblk_event_error(struct dimgblk_device *dev,
			 const struct dimgblk_error *error)
{
	if (__ratelimit(&dev->error_limit))
		dimgblk_event_send(dev, DIMGBLK_EVENT_ERROR, error);
}
