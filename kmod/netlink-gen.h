/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/dimgblk.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: make regen */

#ifndef _LINUX_DIMGBLK_GEN_H
#define _LINUX_DIMGBLK_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/dimgblk.h>

extern const struct nla_policy dimgblk_device_attach_nl_policy[DIMGBLK_A_NAME + 1];

extern const struct nla_policy dimgblk_device_detach_nl_policy[DIMGBLK_A_DETACH_MODE + 1];

extern const struct nla_policy dimgblk_device_get_nl_policy[DIMGBLK_A_DISKSEQ + 1];

extern const struct nla_policy dimgblk_device_set_nl_policy[DIMGBLK_A_RESIZE + 1];

/* Ops table for dimgblk */
extern const struct genl_ops dimgblk_nl_ops[4];

int dimgblk_nl_device_attach_doit(struct sk_buff *skb, struct genl_info *info);
int dimgblk_nl_device_detach_doit(struct sk_buff *skb, struct genl_info *info);
int dimgblk_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info);
int dimgblk_nl_device_get_dumpit(struct sk_buff *skb,
				 struct netlink_callback *cb);
int dimgblk_nl_device_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	DIMGBLK_NLGRP_EVENTS,
};

#endif /* _LINUX_DIMGBLK_GEN_H */
