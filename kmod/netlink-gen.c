// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/dimgblk.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: make regen */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink-gen.h"

#include <uapi/linux/dimgblk.h>

/* DIMGBLK_CMD_DEVICE_ATTACH - do */
const struct nla_policy dimgblk_device_attach_nl_policy[DIMGBLK_A_NAME + 1] = {
	[DIMGBLK_A_INDEX] = { .type = NLA_U32, },
	[DIMGBLK_A_BACKING_FD] = { .type = NLA_S32, },
	[DIMGBLK_A_OFFSET] = { .type = NLA_U64, },
	[DIMGBLK_A_SIZE_LIMIT] = { .type = NLA_U64, },
	[DIMGBLK_A_LOGICAL_BLOCK_SIZE] = { .type = NLA_U32, },
	[DIMGBLK_A_FLAGS] = NLA_POLICY_MASK(NLA_U32, 0x3f),
	[DIMGBLK_A_DIRECT] = NLA_POLICY_MAX(NLA_U32, 2),
	[DIMGBLK_A_NR_HW_QUEUES] = { .type = NLA_U32, },
	[DIMGBLK_A_QUEUE_DEPTH] = { .type = NLA_U32, },
	[DIMGBLK_A_NAME] = { .type = NLA_NUL_STRING, .len = DIMGBLK_NAME_MAX_LEN, },
};

/* DIMGBLK_CMD_DEVICE_DETACH - do */
const struct nla_policy dimgblk_device_detach_nl_policy[DIMGBLK_A_DETACH_MODE + 1] = {
	[DIMGBLK_A_INDEX] = { .type = NLA_U32, },
	[DIMGBLK_A_DISKSEQ] = { .type = NLA_U64, },
	[DIMGBLK_A_DETACH_MODE] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* DIMGBLK_CMD_DEVICE_GET - do */
const struct nla_policy dimgblk_device_get_nl_policy[DIMGBLK_A_DISKSEQ + 1] = {
	[DIMGBLK_A_INDEX] = { .type = NLA_U32, },
	[DIMGBLK_A_DISKSEQ] = { .type = NLA_U64, },
};

/* DIMGBLK_CMD_DEVICE_SET - do */
const struct nla_policy dimgblk_device_set_nl_policy[DIMGBLK_A_RESIZE + 1] = {
	[DIMGBLK_A_INDEX] = { .type = NLA_U32, },
	[DIMGBLK_A_DISKSEQ] = { .type = NLA_U64, },
	[DIMGBLK_A_RESIZE] = { .type = NLA_FLAG, },
	[DIMGBLK_A_DIRECT] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* Ops table for dimgblk */
const struct genl_ops dimgblk_nl_ops[4] = {
	{
		.cmd		= DIMGBLK_CMD_DEVICE_ATTACH,
		.doit		= dimgblk_nl_device_attach_doit,
		.policy		= dimgblk_device_attach_nl_policy,
		.maxattr	= DIMGBLK_A_NAME,
	},
	{
		.cmd		= DIMGBLK_CMD_DEVICE_DETACH,
		.doit		= dimgblk_nl_device_detach_doit,
		.policy		= dimgblk_device_detach_nl_policy,
		.maxattr	= DIMGBLK_A_DETACH_MODE,
	},
	{
		.cmd		= DIMGBLK_CMD_DEVICE_GET,
		.doit		= dimgblk_nl_device_get_doit,
		.dumpit		= dimgblk_nl_device_get_dumpit,
		.policy		= dimgblk_device_get_nl_policy,
		.maxattr	= DIMGBLK_A_DISKSEQ,
	},
	{
		.cmd		= DIMGBLK_CMD_DEVICE_SET,
		.doit		= dimgblk_nl_device_set_doit,
		.policy		= dimgblk_device_set_nl_policy,
		.maxattr	= DIMGBLK_A_RESIZE,
	},
};

