// SPDX-License-Identifier: GPL-2.0
/*
 * Reply: what is told of devices in replies and dumps.
 *
 * Owns the attributes of a message to userspace, and what only an administrator may
 * read in it.  Nothing here changes a device.
 */

#include <linux/fs.h>

#include "dimgblk.h"
#include "netlink-gen.h"

/* Room for all attributes of a device, of which a path is the largest. */
#define DIMGBLK_REPLY_SIZE	(PATH_MAX + 1024)

/**
 * struct dimgblk_reply - context of dimgblk_reply_fill()
 * @skb: message to append to
 * @portid: receiver
 * @seq: sequence number of the request
 * @flags: of the message header
 * @cmd: operation
 * @admin: show what only CAP_SYS_ADMIN may see
 * @opens: show the number of openers
 * @cb: dump under way, or NULL
 */
struct dimgblk_reply {
	struct sk_buff *skb;
	u32 portid;
	u32 seq;
	int flags;
	u8 cmd;
	bool admin;
	bool opens;
	struct netlink_callback *cb;
};

/*
 * Written where it will be told, so that it needs no memory: an attach that is done
 * could no longer be refused for want of it.
 */
static int dimgblk_reply_put_path(struct sk_buff *skb, struct file *file)
{
	char *buf = skb_tail_pointer(skb) + NLA_HDRLEN;
	int room = min(skb_tailroom(skb) - NLA_HDRLEN, PATH_MAX);
	struct nlattr *attr;
	char *path;
	int len;

	if (room <= 0)
		return -EMSGSIZE;
	path = file_path(file, buf, room);
	/* Too long to be told: everything else still is. */
	if (IS_ERR(path))
		return room < PATH_MAX ? -EMSGSIZE : 0;
	len = strlen(path) + 1;
	memmove(buf, path, len);
	attr = nla_reserve(skb, DIMGBLK_A_BACKING_PATH, len);
	return attr ? 0 : -EMSGSIZE;
}

/* Who holds the registry mutex may look at the backing file. */
static int dimgblk_reply_put_backing(struct sk_buff *skb,
				     const struct dimgblk_backing *backing)
{
	if (!backing->file)
		return 0;
	if (nla_put_u64_64bit(skb, DIMGBLK_A_BACKING_INODE,
			      backing->stat_ino, DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_BACKING_MAJOR,
			MAJOR(backing->stat_dev)) ||
	    nla_put_u32(skb, DIMGBLK_A_BACKING_MINOR, MINOR(backing->stat_dev)))
		return -EMSGSIZE;
	return dimgblk_reply_put_path(skb, backing->file);
}

/* What was asked for, with every default resolved. */
static int dimgblk_reply_put_settings(struct sk_buff *skb,
				      const struct dimgblk_device *dev)
{
	u32 flags = dev->flags & ~(DIMGBLK_FLAG_READ_ONLY |
				   DIMGBLK_FLAG_AUTO_DETACH |
				   DIMGBLK_FLAG_SOCKET_OWNER);

	if (dev->backing.read_only)
		flags |= DIMGBLK_FLAG_READ_ONLY;
	if (READ_ONCE(dev->auto_detach))
		flags |= DIMGBLK_FLAG_AUTO_DETACH;
	if (READ_ONCE(dev->owner))
		flags |= DIMGBLK_FLAG_SOCKET_OWNER;
	if (nla_put_u64_64bit(skb, DIMGBLK_A_OFFSET, dev->geometry.offset,
			      DIMGBLK_A_PAD) ||
	    nla_put_u64_64bit(skb, DIMGBLK_A_SIZE_LIMIT,
			      dev->geometry.size_limit, DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_LOGICAL_BLOCK_SIZE,
			dev->geometry.logical_block_size) ||
	    nla_put_u32(skb, DIMGBLK_A_FLAGS, flags) ||
	    nla_put_u32(skb, DIMGBLK_A_DIRECT, READ_ONCE(dev->direct)) ||
	    nla_put_u32(skb, DIMGBLK_A_NR_HW_QUEUES, dev->nr_hw_queues) ||
	    nla_put_u32(skb, DIMGBLK_A_QUEUE_DEPTH, dev->queue_depth))
		return -EMSGSIZE;
	if (dev->name[0] && nla_put_string(skb, DIMGBLK_A_NAME, dev->name))
		return -EMSGSIZE;
	return 0;
}

/* What is in effect now. */
static int dimgblk_reply_put_status(struct sk_buff *skb,
				    struct dimgblk_device *dev, bool opens)
{
	const char *reason = READ_ONCE(dev->direct_reason);

	if (nla_put_u32(skb, DIMGBLK_A_INDEX, dev->index) ||
	    nla_put_u64_64bit(skb, DIMGBLK_A_DISKSEQ, dev->disk->diskseq,
			      DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_MAJOR, dev->disk->major) ||
	    nla_put_u32(skb, DIMGBLK_A_MINOR, dev->disk->first_minor) ||
	    nla_put_u64_64bit(skb, DIMGBLK_A_CAPACITY,
			      atomic64_read(&dev->size) >> SECTOR_SHIFT,
			      DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_DIRECT_IN_USE,
			READ_ONCE(dev->direct_in_use)) ||
	    nla_put_u32(skb, DIMGBLK_A_STATE,
			dimgblk_device_public_state(dev)))
		return -EMSGSIZE;
	if (reason && nla_put_string(skb, DIMGBLK_A_DIRECT_REASON, reason))
		return -EMSGSIZE;
	if (opens && nla_put_u32(skb, DIMGBLK_A_OPEN_COUNT,
				 disk_openers(dev->disk)))
		return -EMSGSIZE;
	return 0;
}

static int dimgblk_reply_put_error(struct sk_buff *skb, int attr,
				   const struct dimgblk_error *error)
{
	struct nlattr *nest = nla_nest_start(skb, attr);

	if (!nest || nla_put_s32(skb, DIMGBLK_IO_ERROR_A_ERROR, error->err) ||
	    nla_put_u32(skb, DIMGBLK_IO_ERROR_A_OP, error->op) ||
	    nla_put_u64_64bit(skb, DIMGBLK_IO_ERROR_A_POS, error->pos,
			      DIMGBLK_IO_ERROR_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_IO_ERROR_A_LENGTH, error->len) ||
	    nla_put_u64_64bit(skb, DIMGBLK_IO_ERROR_A_TIME, error->time,
			      DIMGBLK_IO_ERROR_A_PAD))
		return -EMSGSIZE;
	nla_nest_end(skb, nest);
	return 0;
}

/* What failed; numbers only, so anybody may know. */
static int dimgblk_reply_put_errors(struct sk_buff *skb,
				    struct dimgblk_device *dev)
{
	struct dimgblk_error first, last;
	u64 count = dimgblk_errors_get(&dev->errors, &first, &last);

	if (nla_put_u64_64bit(skb, DIMGBLK_A_ERROR_COUNT, count,
			      DIMGBLK_A_PAD))
		return -EMSGSIZE;
	if (!count)
		return 0;
	return dimgblk_reply_put_error(skb, DIMGBLK_A_FIRST_ERROR, &first) ?:
	       dimgblk_reply_put_error(skb, DIMGBLK_A_LAST_ERROR, &last);
}

/* One message with all there is to tell of @dev; under the registry mutex. */
static int dimgblk_reply_fill(struct dimgblk_device *dev, void *arg)
{
	struct dimgblk_reply *fill = arg;
	void *hdr;
	int err;

	hdr = genlmsg_put(fill->skb, fill->portid, fill->seq,
			  &dimgblk_nl_family, fill->flags, fill->cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (fill->cb)
		genl_dump_check_consistent(fill->cb, hdr);
	err = dimgblk_reply_put_status(fill->skb, dev, fill->opens);
	if (!err)
		err = dimgblk_reply_put_settings(fill->skb, dev);
	if (!err)
		err = dimgblk_reply_put_errors(fill->skb, dev);
	if (!err && fill->admin)
		err = dimgblk_reply_put_backing(fill->skb, &dev->backing);
	if (err) {
		genlmsg_cancel(fill->skb, hdr);
		return err;
	}
	genlmsg_end(fill->skb, hdr);
	return 0;
}

/**
 * dimgblk_reply_alloc() - room for any reply
 *
 * Return: message to be given to dimgblk_reply_device() or dimgblk_reply_detach(),
 * or to be freed by nlmsg_free(); NULL without memory.
 */
struct sk_buff *dimgblk_reply_alloc(void)
{
	return genlmsg_new(DIMGBLK_REPLY_SIZE, GFP_KERNEL);
}

/**
 * dimgblk_reply_device() - send all there is to tell of a device
 * @skb: message, which is used up
 * @info: request
 * @dev: device
 * @admin: show what only CAP_SYS_ADMIN may see
 * @opens: show the number of openers
 *
 * Return: 0 or an errno.
 */
int dimgblk_reply_device(struct sk_buff *skb, struct genl_info *info,
			 struct dimgblk_device *dev, bool admin, bool opens)
{
	struct dimgblk_reply fill = {
		.skb = skb,
		.portid = info->snd_portid,
		.seq = info->snd_seq,
		.cmd = info->genlhdr->cmd,
		.admin = admin,
		.opens = opens,
	};
	int err;

	err = dimgblk_registry_show(dev, dimgblk_reply_fill, &fill);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	return genlmsg_reply(skb, info);
}

/**
 * dimgblk_reply_detach() - tell what has become of a device
 * @skb: message, which is used up
 * @info: request
 * @dev: device
 * @state: as dimgblk_detach_device() says
 *
 * Return: 0 or an errno.
 */
int dimgblk_reply_detach(struct sk_buff *skb, struct genl_info *info,
			 struct dimgblk_device *dev,
			 enum dimgblk_device_state state)
{
	void *hdr = genlmsg_put_reply(skb, info, &dimgblk_nl_family, 0,
				      DIMGBLK_CMD_DEVICE_DETACH);

	if (!hdr || nla_put_u32(skb, DIMGBLK_A_INDEX, dev->index) ||
	    nla_put_u64_64bit(skb, DIMGBLK_A_DISKSEQ, dev->disk->diskseq,
			      DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_STATE, state) ||
	    nla_put_u32(skb, DIMGBLK_A_OPEN_COUNT, disk_openers(dev->disk))) {
		nlmsg_free(skb);
		return -EMSGSIZE;
	}
	genlmsg_end(skb, hdr);
	return genlmsg_reply(skb, info);
}

/**
 * dimgblk_nl_device_get_dumpit() - DIMGBLK_CMD_DEVICE_GET of all devices
 * @skb: message to fill
 * @cb: state of the dump: args[0] is the index to go on at, args[1] whether the
 *	sender may see paths; who reads the rest may be another one
 *
 * Return: length of the message, 0 at the end, or an errno.
 */
int dimgblk_nl_device_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct dimgblk_reply fill = {
		.skb = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cmd = DIMGBLK_CMD_DEVICE_GET,
		.admin = cb->args[1],
		.opens = true,
		.cb = cb,
	};
	u32 index = cb->args[0];
	int err;

	cb->seq = dimgblk_registry_generation();
	err = dimgblk_registry_walk(&index, dimgblk_reply_fill, &fill);
	cb->args[0] = index;
	/* Full is no error, unless not even one device fits. */
	if (err && !(err == -EMSGSIZE && skb->len))
		return err;
	return skb->len;
}

/**
 * dimgblk_reply_dump_start() - ->start of a dump
 * @cb: state of the dump
 *
 * A reader with small buffers still has to get the longest path.
 *
 * Return: 0.
 */
int dimgblk_reply_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = DIMGBLK_REPLY_SIZE;
	/* Here, in the context of the sender. */
	cb->args[1] = netlink_capable(cb->skb, CAP_SYS_ADMIN);
	return 0;
}
