// SPDX-License-Identifier: GPL-2.0
/*
 * nl.c - owns what can be asked of the kernel: the operations of the generic-netlink
 * family "dimgblk" (uapi/linux/dimgblk.h), one function each. It sends one request and
 * turns the reply into a struct dimg_device, or the refusal into a struct dimg_error. It
 * prints nothing and decides nothing.
 */
#include <errno.h>
#include <string.h>

#include "nl.h"

/* A device that changes during a dump makes it start again; not for ever. */
#define DUMP_TRIES		16
/* Room for a burst of events while the reader of monitor is slow, bytes. */
#define EVENT_BUFFER_BYTES	(1024 * 1024)

/* Name the device: index and diskseq, so that no successor is hit. */
static void put_identity(struct nl_msg *msg, const struct dimg_device *dev)
{
	nla_put_u32(msg, DIMGBLK_A_INDEX, dev->index);
	if (dimg_device_knows(dev, DIMGBLK_A_DISKSEQ))
		nla_put_u64(msg, DIMGBLK_A_DISKSEQ, dev->diskseq);
}

static int keep_in_list(struct dimg_device *dev, void *arg)
{
	return dimg_devices_add(arg, dev);
}

/**
 * dimg_nl_attach - attach an image
 * @dev: the kernel's reply: what is in effect, not what was asked for
 *
 * Return: 0, or -errno with @e filled in and nothing attached.
 */
int dimg_nl_attach(struct dimg_nl *nl, const struct dimg_request *req,
		   struct dimg_device *dev, struct dimg_error *e)
{
	const struct {
		int attr;
		uint64_t val;
		bool wide;
	} numbers[] = {
		{ DIMGBLK_A_INDEX, req->index, false },
		{ DIMGBLK_A_OFFSET, req->offset, true },
		{ DIMGBLK_A_SIZE_LIMIT, req->size_limit, true },
		{ DIMGBLK_A_LOGICAL_BLOCK_SIZE, req->logical_block_size, false },
		{ DIMGBLK_A_FLAGS, req->flags, false },
		{ DIMGBLK_A_DIRECT, req->direct, false },
		{ DIMGBLK_A_NR_HW_QUEUES, req->nr_hw_queues, false },
		{ DIMGBLK_A_QUEUE_DEPTH, req->queue_depth, false },
	};
	struct nl_msg *msg;
	size_t i;

	msg = nl_request_new(nl, DIMGBLK_CMD_DEVICE_ATTACH, 0, e);
	if (!msg)
		return -ENOMEM;
	nla_put_s32(msg, DIMGBLK_A_BACKING_FD, req->backing_fd);
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (!(req->given & UINT64_C(1) << numbers[i].attr))
			continue;
		if (numbers[i].wide)
			nla_put_u64(msg, numbers[i].attr, numbers[i].val);
		else
			nla_put_u32(msg, numbers[i].attr, numbers[i].val);
	}
	/* the one thing of any length: a page of message may be too small */
	if (req->name && nla_put_string(msg, DIMGBLK_A_NAME, req->name)) {
		nlmsg_free(msg);
		dimg_error_set(e, ERANGE, "the name is too long");
		e->attr = DIMGBLK_A_NAME;
		return -ERANGE;
	}
	return nl_exchange_one(nl, msg, dev, e);
}

/**
 * dimg_nl_detach - detach a device
 * @mode: DIMGBLK_DETACH_*
 * @reply: state and openers after the request
 *
 * Return: 0, or -errno with @e filled in. After EBUSY nothing has changed.
 */
int dimg_nl_detach(struct dimg_nl *nl, const struct dimg_device *dev,
		   uint32_t mode, struct dimg_device *reply,
		   struct dimg_error *e)
{
	struct nl_msg *msg;

	msg = nl_request_new(nl, DIMGBLK_CMD_DEVICE_DETACH, 0, e);
	if (!msg)
		return -ENOMEM;
	put_identity(msg, dev);
	nla_put_u32(msg, DIMGBLK_A_DETACH_MODE, mode);
	return nl_exchange_one(nl, msg, reply, e);
}

/**
 * dimg_nl_dump - ask for all devices
 * @devs: filled in; the caller frees it
 *
 * Return: 0, or -errno with @e filled in and an empty list.
 */
int dimg_nl_dump(struct dimg_nl *nl, struct dimg_devices *devs,
		 struct dimg_error *e)
{
	int try, ret;

	memset(devs, 0, sizeof(*devs));
	for (try = 0; try < DUMP_TRIES; try++) {
		struct exchange x = {
			.reply = keep_in_list, .arg = devs, .e = e,
		};

		x.request = nl_request_new(nl, DIMGBLK_CMD_DEVICE_GET,
					   NLM_F_DUMP, e);
		if (!x.request)
			return -ENOMEM;
		ret = nl_exchange(nl, &x);
		if (!ret && !x.interrupted)
			return 0;
		dimg_devices_free(devs);
		if (ret)
			return ret;
	}
	dimg_error_set(e, EAGAIN,
		       "devices come and go too fast to list them");
	return -EAGAIN;
}

/* dimg_nl_resize - take the capacity from the backing file again. */
int dimg_nl_resize(struct dimg_nl *nl, const struct dimg_device *dev,
		   struct dimg_device *reply, struct dimg_error *e)
{
	struct nl_msg *msg;

	msg = nl_request_new(nl, DIMGBLK_CMD_DEVICE_SET, 0, e);
	if (!msg)
		return -ENOMEM;
	put_identity(msg, dev);
	nla_put_flag(msg, DIMGBLK_A_RESIZE);
	return nl_exchange_one(nl, msg, reply, e);
}

/* dimg_nl_set_direct - switch direct I/O; @direct is DIMGBLK_DIRECT_*. */
int dimg_nl_set_direct(struct dimg_nl *nl, const struct dimg_device *dev,
		       uint32_t direct, struct dimg_device *reply,
		       struct dimg_error *e)
{
	struct nl_msg *msg;

	msg = nl_request_new(nl, DIMGBLK_CMD_DEVICE_SET, 0, e);
	if (!msg)
		return -ENOMEM;
	put_identity(msg, dev);
	nla_put_u32(msg, DIMGBLK_A_DIRECT, direct);
	return nl_exchange_one(nl, msg, reply, e);
}

/**
 * dimg_nl_subscribe - join the group "events"
 *
 * Return: 0, or -errno with @e filled in; -EPERM without CAP_SYS_ADMIN.
 */
int dimg_nl_subscribe(struct dimg_nl *nl, struct dimg_error *e)
{
	int group, ret;

	group = genl_ctrl_resolve_grp(nl->sock, DIMGBLK_FAMILY_NAME,
				      DIMGBLK_MCGRP_EVENTS);
	if (group < 0) {
		dimg_error_set(e, ENOENT, "the module has no event group");
		return -ENOENT;
	}
	errno = 0;
	ret = nl_socket_add_membership(nl->sock, group);
	if (ret) {
		dimg_error_set(e, errno ? errno : EIO,
			       "the kernel refuses to send events");
		return -e->err;
	}
	/* the group goes with the module, and nobody tells its members */
	group = genl_ctrl_resolve_grp(nl->sock, "nlctrl", "notify");
	if (group >= 0)
		nl_socket_add_membership(nl->sock, group);
	/* events carry no sequence number of ours; poll() says when to read */
	nl_socket_disable_seq_check(nl->sock);
	nl_socket_set_nonblocking(nl->sock);
	nl_socket_set_buffer_size(nl->sock, EVENT_BUFFER_BYTES, 0);
	return 0;
}

/* dimg_nl_event_fd - the descriptor to poll for events. */
int dimg_nl_event_fd(const struct dimg_nl *nl)
{
	return nl_socket_get_fd(nl->sock);
}

/* Does generic netlink tell that our family has gone? */
static bool is_end_of_family(struct nl_msg *msg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct nlattr *name;

	if (nlh->nlmsg_type != GENL_ID_CTRL ||
	    genlmsg_hdr(nlh)->cmd != CTRL_CMD_DELFAMILY)
		return false;
	name = nlmsg_find_attr(nlh, GENL_HDRLEN, CTRL_ATTR_FAMILY_NAME);
	return name && !nla_strcmp(name, DIMGBLK_FAMILY_NAME);
}

/* Who wants to see events; a pointer to a function is no void pointer. */
struct watch {
	void (*show)(const struct dimg_device *ev, void *arg);
	void *arg;
};

static int on_event(struct nl_msg *msg, void *arg)
{
	const struct watch *w = arg;
	struct dimg_device ev;

	if (is_end_of_family(msg))
		return -NLE_NODEV;
	if (nlmsg_hdr(msg)->nlmsg_type <= GENL_ID_CTRL ||
	    genlmsg_hdr(nlmsg_hdr(msg))->cmd != DIMGBLK_CMD_DEVICE_EVENT)
		return NL_SKIP;
	if (nl_parse_device(msg, &ev))
		return NL_SKIP;
	w->show(&ev, w->arg);
	dimg_device_free(&ev);
	return NL_OK;
}

/**
 * dimg_nl_next_events - read what has arrived
 * @show: called once for each event, with @arg
 *
 * Return: 0, or -errno with @e filled in; -ENOBUFS when events were lost, -ENODEV
 * when there will be no more.
 */
int dimg_nl_next_events(struct dimg_nl *nl,
			void (*show)(const struct dimg_device *ev, void *arg),
			void *arg, struct dimg_error *e)
{
	struct watch w = { .show = show, .arg = arg };
	int n;

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event, &w);
	errno = 0;
	n = nl_recvmsgs_default(nl->sock);
	if (n >= 0 || n == -NLE_AGAIN)
		return 0;
	if (n == -NLE_NODEV) {
		dimg_error_set(e, ENODEV, "the module was unloaded");
		return -ENODEV;
	}
	dimg_error_set(e, errno ? errno : EIO, "netlink: %s", nl_geterror(n));
	return -e->err;
}
