// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink: messages.
 *
 * Owns the translation between attributes and one call per operation, and who may
 * ask for what.  No decision about a device is made here.  The messages are
 * specified in Documentation/netlink/specs/dimgblk.yaml, from which policies and
 * op table (netlink-gen.c) are made.
 */

#include <linux/capability.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>

#include "dimgblk.h"
#include "netlink-gen.h"

/* Room for all attributes of a device, of which a path is the largest. */
#define DIMGBLK_NL_REPLY_SIZE	(PATH_MAX + 1024)

/*
 * GENL_ADMIN_PERM would ask for CAP_NET_ADMIN, which is the wrong power, and look
 * at the sender only; a privileged program that was made to write to a socket of
 * its caller must not do the caller's will.
 */
static int dimgblk_nl_check_admin(struct sk_buff *skb, struct genl_info *info)
{
	if (netlink_capable(skb, CAP_SYS_ADMIN))
		return 0;
	NL_SET_ERR_MSG(info->extack,
		       "this needs CAP_SYS_ADMIN in the initial user namespace: run it as root");
	return -EPERM;
}

/**
 * struct dimgblk_nl_fill - context of dimgblk_nl_fill_device()
 * @skb: message to append to
 * @portid: receiver
 * @seq: sequence number of the request
 * @flags: of the message header
 * @cmd: operation
 * @admin: show what only CAP_SYS_ADMIN may see
 * @opens: show the number of openers
 * @cb: dump under way, or NULL
 * @path: room for a path, PATH_MAX bytes, if @admin
 */
struct dimgblk_nl_fill {
	struct sk_buff *skb;
	u32 portid;
	u32 seq;
	int flags;
	u8 cmd;
	bool admin;
	bool opens;
	struct netlink_callback *cb;
	char *path;
};

/* Who holds the registry mutex may look at the backing file. */
static int dimgblk_nl_put_backing(struct sk_buff *skb,
				  const struct dimgblk_backing *backing,
				  char *buf)
{
	char *path;

	if (!backing->file)
		return 0;
	path = file_path(backing->file, buf, PATH_MAX);
	/* Too long to be told: everything else still is. */
	if (!IS_ERR(path) && nla_put_string(skb, DIMGBLK_A_BACKING_PATH, path))
		return -EMSGSIZE;
	if (nla_put_u64_64bit(skb, DIMGBLK_A_BACKING_INODE,
			      backing->stat_ino, DIMGBLK_A_PAD) ||
	    nla_put_u32(skb, DIMGBLK_A_BACKING_MAJOR,
			MAJOR(backing->stat_dev)) ||
	    nla_put_u32(skb, DIMGBLK_A_BACKING_MINOR, MINOR(backing->stat_dev)))
		return -EMSGSIZE;
	return 0;
}

/* What was asked for, with every default resolved. */
static int dimgblk_nl_put_settings(struct sk_buff *skb,
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
static int dimgblk_nl_put_status(struct sk_buff *skb,
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

/* One message with all there is to tell of @dev; under the registry mutex. */
static int dimgblk_nl_fill_device(struct dimgblk_device *dev, void *arg)
{
	struct dimgblk_nl_fill *fill = arg;
	void *hdr;
	int err;

	hdr = genlmsg_put(fill->skb, fill->portid, fill->seq,
			  &dimgblk_nl_family, fill->flags, fill->cmd);
	if (!hdr)
		return -EMSGSIZE;
	if (fill->cb)
		genl_dump_check_consistent(fill->cb, hdr);
	err = dimgblk_nl_put_status(fill->skb, dev, fill->opens);
	if (!err)
		err = dimgblk_nl_put_settings(fill->skb, dev);
	if (!err && fill->admin)
		err = dimgblk_nl_put_backing(fill->skb, &dev->backing,
					     fill->path);
	if (err) {
		genlmsg_cancel(fill->skb, hdr);
		return err;
	}
	genlmsg_end(fill->skb, hdr);
	return 0;
}

static struct sk_buff *dimgblk_nl_alloc_reply(void)
{
	return genlmsg_new(DIMGBLK_NL_REPLY_SIZE, GFP_KERNEL);
}

/* Allocate what @fill needs, before any lock is taken. */
static int dimgblk_nl_fill_begin(struct dimgblk_nl_fill *fill)
{
	if (!fill->admin)
		return 0;
	fill->path = kmalloc(PATH_MAX, GFP_KERNEL);
	return fill->path ? 0 : -ENOMEM;
}

static void dimgblk_nl_fill_end(struct dimgblk_nl_fill *fill)
{
	kfree(fill->path);
}

/* Send all there is to tell of @dev in @skb, which is used up. */
static int dimgblk_nl_reply_device(struct sk_buff *skb, struct genl_info *info,
				   struct dimgblk_device *dev, bool admin,
				   bool opens)
{
	struct dimgblk_nl_fill fill = {
		.skb = skb,
		.portid = info->snd_portid,
		.seq = info->snd_seq,
		.cmd = info->genlhdr->cmd,
		.admin = admin,
		.opens = opens,
	};
	int err;

	err = dimgblk_nl_fill_begin(&fill);
	if (!err)
		err = dimgblk_registry_show(dev, dimgblk_nl_fill_device, &fill);
	dimgblk_nl_fill_end(&fill);
	if (err) {
		nlmsg_free(skb);
		return err;
	}
	return genlmsg_reply(skb, info);
}

/* The device that the message is about, with a reference. */
static struct dimgblk_device *dimgblk_nl_find_device(struct genl_info *info)
{
	struct nlattr *diskseq = info->attrs[DIMGBLK_A_DISKSEQ];
	struct dimgblk_device *dev;
	u32 index;

	if (GENL_REQ_ATTR_CHECK(info, DIMGBLK_A_INDEX)) {
		NL_SET_ERR_MSG(info->extack, "the index of the device is missing");
		return ERR_PTR(-EINVAL);
	}
	index = nla_get_u32(info->attrs[DIMGBLK_A_INDEX]);
	dev = dimgblk_registry_get(index);
	if (!dev) {
		NL_SET_ERR_MSG_FMT(info->extack, "dimgblk%u is not attached",
				   index);
		return ERR_PTR(-ENODEV);
	}
	if (diskseq && nla_get_u64(diskseq) != dev->disk->diskseq) {
		NL_SET_ERR_MSG_FMT(info->extack,
				   "dimgblk%u was detached and attached again meanwhile",
				   index);
		dimgblk_device_put(dev);
		return ERR_PTR(-ESTALE);
	}
	return dev;
}

static u32 dimgblk_nl_get_u32(struct genl_info *info, int type, u32 absent)
{
	return info->attrs[type] ? nla_get_u32(info->attrs[type]) : absent;
}

static u64 dimgblk_nl_get_u64(struct genl_info *info, int type, u64 absent)
{
	return info->attrs[type] ? nla_get_u64(info->attrs[type]) : absent;
}

static int dimgblk_nl_parse_config(struct genl_info *info,
				   struct dimgblk_config *config)
{
	if (GENL_REQ_ATTR_CHECK(info, DIMGBLK_A_BACKING_FD)) {
		NL_SET_ERR_MSG(info->extack,
			       "the file descriptor of the backing file is missing");
		return -EINVAL;
	}
	*config = (struct dimgblk_config) {
		.attrs = info->attrs,
		.any_index = !info->attrs[DIMGBLK_A_INDEX],
		.index = dimgblk_nl_get_u32(info, DIMGBLK_A_INDEX, 0),
		.backing_fd = nla_get_s32(info->attrs[DIMGBLK_A_BACKING_FD]),
		.geometry = {
			.offset = dimgblk_nl_get_u64(info, DIMGBLK_A_OFFSET, 0),
			.size_limit = dimgblk_nl_get_u64(info,
							 DIMGBLK_A_SIZE_LIMIT,
							 0),
			.logical_block_size =
				dimgblk_nl_get_u32(info,
						   DIMGBLK_A_LOGICAL_BLOCK_SIZE,
						   0),
		},
		.flags = dimgblk_nl_get_u32(info, DIMGBLK_A_FLAGS, 0),
		.direct = dimgblk_nl_get_u32(info, DIMGBLK_A_DIRECT,
					     DIMGBLK_DIRECT_AUTO),
		.nr_hw_queues = dimgblk_nl_get_u32(info,
						   DIMGBLK_A_NR_HW_QUEUES, 0),
		.queue_depth = dimgblk_nl_get_u32(info, DIMGBLK_A_QUEUE_DEPTH,
						  0),
	};
	/* The port is the sender's own: the socket layer has filled it in. */
	if (config->flags & DIMGBLK_FLAG_SOCKET_OWNER)
		config->owner = info->snd_portid;
	if (info->attrs[DIMGBLK_A_NAME])
		nla_strscpy(config->name, info->attrs[DIMGBLK_A_NAME],
			    sizeof(config->name));
	return 0;
}

/**
 * dimgblk_nl_device_attach_doit() - DIMGBLK_CMD_DEVICE_ATTACH
 * @skb: request
 * @info: its attributes
 *
 * Return: 0 or an errno, see dimgblk_device_attach(); -EPERM.
 */
int dimgblk_nl_device_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct dimgblk_config config;
	struct dimgblk_device *dev;
	struct sk_buff *reply;
	int err;

	err = dimgblk_nl_check_admin(skb, info);
	if (err)
		return err;
	err = dimgblk_nl_parse_config(info, &config);
	if (err)
		return err;
	/* Before the device: an attach that cannot be told has failed. */
	reply = dimgblk_nl_alloc_reply();
	if (!reply)
		return -ENOMEM;
	err = dimgblk_device_attach(&config, &dev, info->extack);
	if (err) {
		nlmsg_free(reply);
		return err;
	}
	/*
	 * Attached, whatever becomes of the reply.  Without the openers: the
	 * partition scan was one, and its close may be under way.
	 */
	dimgblk_nl_reply_device(reply, info, dev, true, false);
	dimgblk_device_put(dev);
	return 0;
}

static int dimgblk_nl_reply_detach(struct sk_buff *skb, struct genl_info *info,
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
 * dimgblk_nl_device_detach_doit() - DIMGBLK_CMD_DEVICE_DETACH
 * @skb: request
 * @info: its attributes
 *
 * Return: 0 or an errno, see dimgblk_device_detach(); -EPERM; -ENODEV when there
 * is no such device, -ESTALE when it is another one by now.
 */
int dimgblk_nl_device_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	enum dimgblk_device_state state;
	struct dimgblk_device *dev;
	struct sk_buff *reply;
	int err;

	err = dimgblk_nl_check_admin(skb, info);
	if (err)
		return err;
	dev = dimgblk_nl_find_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	reply = dimgblk_nl_alloc_reply();
	if (!reply) {
		err = -ENOMEM;
		goto out_put_device;
	}
	err = dimgblk_device_detach(dev,
				    dimgblk_nl_get_u32(info,
						       DIMGBLK_A_DETACH_MODE,
						       DIMGBLK_DETACH_STRICT),
				    &state, info->extack);
	if (err)
		nlmsg_free(reply);
	else
		dimgblk_nl_reply_detach(reply, info, dev, state);
out_put_device:
	dimgblk_device_put(dev);
	return err;
}

/**
 * dimgblk_nl_device_get_doit() - DIMGBLK_CMD_DEVICE_GET
 * @skb: request
 * @info: its attributes
 *
 * Return: 0; -ENODEV or -ESTALE as for detach; -ENOMEM.
 */
int dimgblk_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct dimgblk_device *dev;
	struct sk_buff *reply;
	int err;

	dev = dimgblk_nl_find_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	reply = dimgblk_nl_alloc_reply();
	err = reply ? dimgblk_nl_reply_device(reply, info, dev,
					      netlink_capable(skb,
							      CAP_SYS_ADMIN),
					      true)
		    : -ENOMEM;
	dimgblk_device_put(dev);
	return err;
}

/**
 * dimgblk_nl_device_get_dumpit() - DIMGBLK_CMD_DEVICE_GET of all devices
 * @skb: message to fill
 * @cb: state of the dump: args[0] is the index to go on at
 *
 * Return: length of the message, 0 at the end, or an errno.
 */
int dimgblk_nl_device_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb)
{
	struct dimgblk_nl_fill fill = {
		.skb = skb,
		.portid = NETLINK_CB(cb->skb).portid,
		.seq = cb->nlh->nlmsg_seq,
		.flags = NLM_F_MULTI,
		.cmd = DIMGBLK_CMD_DEVICE_GET,
		.admin = netlink_capable(cb->skb, CAP_SYS_ADMIN),
		.opens = true,
		.cb = cb,
	};
	u32 index = cb->args[0];
	int err;

	err = dimgblk_nl_fill_begin(&fill);
	if (err)
		return err;
	cb->seq = dimgblk_registry_generation();
	err = dimgblk_registry_walk(&index, dimgblk_nl_fill_device, &fill);
	dimgblk_nl_fill_end(&fill);
	cb->args[0] = index;
	/* Full is no error, unless not even one device fits. */
	if (err && !(err == -EMSGSIZE && skb->len))
		return err;
	return skb->len;
}

/**
 * dimgblk_nl_device_set_doit() - DIMGBLK_CMD_DEVICE_SET
 * @skb: request
 * @info: its attributes
 *
 * One change per request, so that a refused request has changed nothing.
 *
 * Return: 0; -EPERM; -EINVAL when nothing or too much is to be changed; -ENODEV
 * or -ESTALE as for detach; those of dimgblk_device_resize() and
 * dimgblk_device_set_direct().
 */
int dimgblk_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	bool resize = info->attrs[DIMGBLK_A_RESIZE];
	bool direct = info->attrs[DIMGBLK_A_DIRECT];
	struct dimgblk_device *dev;
	struct sk_buff *reply;
	int err;

	err = dimgblk_nl_check_admin(skb, info);
	if (err)
		return err;
	if (resize == direct) {
		NL_SET_ERR_MSG(info->extack,
			       "ask for exactly one change: resize or direct");
		return -EINVAL;
	}
	dev = dimgblk_nl_find_device(info);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	reply = dimgblk_nl_alloc_reply();
	if (!reply) {
		err = -ENOMEM;
		goto out_put_device;
	}
	if (resize)
		err = dimgblk_device_resize(dev, info->extack);
	else
		err = dimgblk_device_set_direct(dev,
						nla_get_u32(info->attrs[DIMGBLK_A_DIRECT]),
						info->extack);
	if (err == -EINVAL)
		NL_SET_BAD_ATTR(info->extack, info->attrs[DIMGBLK_A_DIRECT]);
	if (err)
		nlmsg_free(reply);
	else
		dimgblk_nl_reply_device(reply, info, dev, true, true);
out_put_device:
	dimgblk_device_put(dev);
	return err;
}

/* A reader with small buffers still has to get the longest path. */
static int dimgblk_nl_dump_start(struct netlink_callback *cb)
{
	cb->min_dump_alloc = DIMGBLK_NL_REPLY_SIZE;
	return 0;
}

/* dimgblk_nl_ops, with what the generator cannot say. */
static struct genl_ops
dimgblk_nl_family_ops[ARRAY_SIZE(dimgblk_nl_ops)] __ro_after_init;

static const struct genl_multicast_group dimgblk_nl_mcgrps[] = {
	[DIMGBLK_NLGRP_EVENTS] = {
		.name = DIMGBLK_MCGRP_EVENTS,
		/* Names and errors of disks are not for everybody. */
		.flags = GENL_MCAST_CAP_SYS_ADMIN,
	},
};

/*
 * Initial network namespace only: disks do not belong to one.  Parallel: a request
 * that waits for a backing file must not hold up the others.  The core lets no
 * family come or go meanwhile, so waits are limited or can be ended by a signal.
 */
struct genl_family dimgblk_nl_family __ro_after_init = {
	.name = DIMGBLK_FAMILY_NAME,
	.version = DIMGBLK_FAMILY_VERSION,
	.module = THIS_MODULE,
	.netnsok = false,
	.parallel_ops = true,
	.ops = dimgblk_nl_family_ops,
	.n_ops = ARRAY_SIZE(dimgblk_nl_family_ops),
	.resv_start_op = 0,	/* strict checks for all operations */
	.mcgrps = dimgblk_nl_mcgrps,
	.n_mcgrps = ARRAY_SIZE(dimgblk_nl_mcgrps),
};

/**
 * dimgblk_nl_init() - at module load; requests come in from here on
 *
 * Return: 0 or an errno of the generic netlink core.
 */
int __init dimgblk_nl_init(void)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dimgblk_nl_ops); i++) {
		dimgblk_nl_family_ops[i] = dimgblk_nl_ops[i];
		if (dimgblk_nl_ops[i].dumpit)
			dimgblk_nl_family_ops[i].start = dimgblk_nl_dump_start;
	}
	return genl_register_family(&dimgblk_nl_family);
}

/**
 * dimgblk_nl_exit() - at module unload; no request is under way on return
 */
void dimgblk_nl_exit(void)
{
	genl_unregister_family(&dimgblk_nl_family);
}
