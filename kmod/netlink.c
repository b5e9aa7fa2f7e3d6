// SPDX-License-Identifier: GPL-2.0
/*
 * Netlink: requests.
 *
 * Owns the translation of attributes into one call per operation, and who may ask
 * for what.  No decision about a device is made here.  The messages are
 * specified in Documentation/netlink/specs/dimgblk.yaml, from which policies and
 * op table (netlink-gen.c) are made.
 */

#include <linux/capability.h>

#include "dimgblk.h"
#include "netlink-gen.h"

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
	reply = dimgblk_reply_alloc();
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
	dimgblk_reply_device(reply, info, dev, true, false);
	dimgblk_device_put(dev);
	return 0;
}

/**
 * dimgblk_nl_device_detach_doit() - DIMGBLK_CMD_DEVICE_DETACH
 * @skb: request
 * @info: its attributes
 *
 * Return: 0 or an errno, see dimgblk_detach_device(); -EPERM; -ENODEV when there
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
	reply = dimgblk_reply_alloc();
	if (!reply) {
		err = -ENOMEM;
		goto out_put_device;
	}
	err = dimgblk_detach_device(dev,
				    dimgblk_nl_get_u32(info,
						       DIMGBLK_A_DETACH_MODE,
						       DIMGBLK_DETACH_STRICT),
				    &state, info->extack);
	if (err)
		nlmsg_free(reply);
	else
		dimgblk_reply_detach(reply, info, dev, state);
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
	reply = dimgblk_reply_alloc();
	err = reply ? dimgblk_reply_device(reply, info, dev,
					      netlink_capable(skb,
							      CAP_SYS_ADMIN),
					      true)
		    : -ENOMEM;
	dimgblk_device_put(dev);
	return err;
}

/**
 * dimgblk_nl_device_set_doit() - DIMGBLK_CMD_DEVICE_SET
 * @skb: request
 * @info: its attributes
 *
 * One change per request, so that a refused request has changed nothing.
 *
 * Return: 0; -EPERM; -EINVAL when nothing or too much is to be changed; -ENODEV
 * or -ESTALE as for detach; those of dimgblk_change_resize() and
 * dimgblk_change_direct().
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
	reply = dimgblk_reply_alloc();
	if (!reply) {
		err = -ENOMEM;
		goto out_put_device;
	}
	if (resize)
		err = dimgblk_change_resize(dev, info->extack);
	else
		err = dimgblk_change_direct(dev,
					    nla_get_u32(info->attrs[DIMGBLK_A_DIRECT]),
					    info->extack);
	if (err == -EINVAL)
		NL_SET_BAD_ATTR(info->extack, info->attrs[DIMGBLK_A_DIRECT]);
	if (err)
		nlmsg_free(reply);
	else
		dimgblk_reply_device(reply, info, dev, true, true);
out_put_device:
	dimgblk_device_put(dev);
	return err;
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
			dimgblk_nl_family_ops[i].start = dimgblk_reply_dump_start;
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
