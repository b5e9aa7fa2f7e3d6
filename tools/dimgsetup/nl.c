// SPDX-License-Identifier: GPL-2.0
/*
 * nl.c - owns the conversation with the kernel: the generic-netlink family
 * "dimgblk" of uapi/linux/dimgblk.h. The only file that includes <netlink/...>.
 *
 * Each function sends one request and turns the reply into a struct
 * dimg_device, or the refusal into a struct dimg_error. It prints nothing and
 * decides nothing. libnl 3.7 cannot read extended acknowledgments, so they
 * are asked for and read here by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "dimgsetup.h"

/* A device that changes during a dump makes it start again; not for ever. */
#define DUMP_TRIES		16
/* Room for a burst of events while the reader of monitor is slow, bytes. */
#define EVENT_BUFFER_BYTES	(1024 * 1024)

struct dimg_nl {
	struct nl_sock *sock;
	int family;
};

/**
 * struct exchange - state of one request, shared by its callbacks
 * @request: kept to find the attribute that an error offset points to
 * @reply: called for each device in the answer
 * @arg: for @reply
 * @ret: 0 or -errno
 * @done: the kernel has sent its last message
 * @interrupted: the dump is not consistent
 */
struct exchange {
	struct nl_msg *request;
	int (*reply)(struct dimg_device *dev, void *arg);
	void *arg;
	struct dimg_error *e;
	int ret;
	bool done;
	bool interrupted;
};

struct field {
	int attr;
	uint16_t type;
	size_t pos;
};

/* Where each attribute of a failed request goes in struct dimg_io_error. */
static const struct field error_fields[] = {
#define FIELD(a, t, m) { DIMGBLK_IO_ERROR_A_##a, t, offsetof(struct dimg_io_error, m) }
	FIELD(ERROR, NLA_S32, error),
	FIELD(OP, NLA_U32, op),
	FIELD(POS, NLA_U64, pos),
	FIELD(LENGTH, NLA_U32, length),
	FIELD(TIME, NLA_U64, time),
#undef FIELD
};

/* Where each attribute of a reply goes in struct dimg_device. */
static const struct field fields[] = {
#define FIELD(a, t, m) { DIMGBLK_A_##a, t, offsetof(struct dimg_device, m) }
	FIELD(INDEX, NLA_U32, index),
	FIELD(DISKSEQ, NLA_U64, diskseq),
	FIELD(OFFSET, NLA_U64, offset),
	FIELD(SIZE_LIMIT, NLA_U64, size_limit),
	FIELD(LOGICAL_BLOCK_SIZE, NLA_U32, logical_block_size),
	FIELD(FLAGS, NLA_U32, flags),
	FIELD(DIRECT, NLA_U32, direct),
	FIELD(NR_HW_QUEUES, NLA_U32, nr_hw_queues),
	FIELD(QUEUE_DEPTH, NLA_U32, queue_depth),
	FIELD(NAME, NLA_STRING, name),
	FIELD(CAPACITY, NLA_U64, capacity),
	FIELD(DIRECT_IN_USE, NLA_U32, direct_in_use),
	FIELD(DIRECT_REASON, NLA_STRING, direct_reason),
	FIELD(BACKING_PATH, NLA_STRING, backing_path),
	FIELD(BACKING_INODE, NLA_U64, backing_inode),
	FIELD(BACKING_MAJOR, NLA_U32, backing_major),
	FIELD(BACKING_MINOR, NLA_U32, backing_minor),
	FIELD(OPEN_COUNT, NLA_U32, open_count),
	FIELD(STATE, NLA_U32, state),
	FIELD(EVENT, NLA_U32, event),
	FIELD(ERROR, NLA_S32, error),
	FIELD(ERROR_SECTOR, NLA_U64, error_sector),
	FIELD(MAJOR, NLA_U32, major),
	FIELD(MINOR, NLA_U32, minor),
	FIELD(ERROR_COUNT, NLA_U64, error_count),
	FIELD(FIRST_ERROR, NLA_NESTED, first_error),
	FIELD(LAST_ERROR, NLA_NESTED, last_error),
#undef FIELD
};

static int parse_error(struct nlattr *nest, void *to);

/* Copy one attribute; too short for its type is a kernel bug, so -EBADMSG. */
static int parse_field(const struct field *f, struct nlattr *nla, void *base)
{
	void *to = (char *)base + f->pos;
	int len = f->type == NLA_U64 ? sizeof(uint64_t) : sizeof(uint32_t);
	char *s;

	if (f->type == NLA_NESTED)
		return parse_error(nla, to);
	if (f->type == NLA_STRING) {
		s = strndup(nla_data(nla), nla_len(nla));
		if (!s)
			return -ENOMEM;
		free(*(char **)to);
		*(char **)to = s;
	} else {
		if (nla_len(nla) < len)
			return -EBADMSG;
		/* a 64-bit attribute need not be aligned: copy, no load */
		memcpy(to, nla_data(nla), len);
	}
	return 0;
}

/* The attributes of a failed request. */
static int parse_error(struct nlattr *nest, void *to)
{
	struct nlattr *nla;
	size_t i;
	int rem, ret;

	nla_for_each_nested(nla, nest, rem) {
		for (i = 0; i < sizeof(error_fields) / sizeof(*error_fields); i++) {
			if (error_fields[i].attr != nla_type(nla))
				continue;
			ret = parse_field(&error_fields[i], nla, to);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* Turn a message into a device. Attributes of a newer kernel are skipped. */
static int parse_device(struct nl_msg *msg, struct dimg_device *dev)
{
	struct genlmsghdr *gnlh = genlmsg_hdr(nlmsg_hdr(msg));
	struct nlattr *nla;
	size_t i;
	int rem, ret;

	memset(dev, 0, sizeof(*dev));
	nla_for_each_attr(nla, genlmsg_attrdata(gnlh, 0),
			  genlmsg_attrlen(gnlh, 0), rem) {
		for (i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
			if (fields[i].attr != nla_type(nla))
				continue;
			ret = parse_field(&fields[i], nla, dev);
			if (ret) {
				dimg_device_free(dev);
				return ret;
			}
			dev->known |= UINT64_C(1) << fields[i].attr;
		}
	}
	return 0;
}

/* Which attribute of the request starts at @offs bytes of its message? */
static int attr_at(struct nl_msg *request, uint32_t offs)
{
	struct nlmsghdr *nlh = nlmsg_hdr(request);
	struct nlattr *nla;
	int rem;

	nla_for_each_attr(nla, genlmsg_attrdata(nlmsg_data(nlh), 0),
			  genlmsg_attrlen(nlmsg_data(nlh), 0), rem)
		if ((char *)nla - (char *)nlh == (ptrdiff_t)offs)
			return nla_type(nla);
	return 0;
}

/* Read the extended acknowledgment in @len bytes of attributes. */
static void parse_ext_ack(struct exchange *x, struct nlattr *first, int len)
{
	struct nlattr *nla;
	int rem;

	nla_for_each_attr(nla, first, len, rem) {
		if (nla_type(nla) == NLMSGERR_ATTR_MSG)
			snprintf(x->e->text, sizeof(x->e->text), "%.*s",
				 nla_len(nla), (char *)nla_data(nla));
		else if (nla_type(nla) == NLMSGERR_ATTR_OFFS &&
			 nla_len(nla) >= (int)sizeof(uint32_t))
			x->e->attr = attr_at(x->request, nla_get_u32(nla));
	}
}

/* An acknowledgment that carries an error. */
static int on_error(struct sockaddr_nl *from, struct nlmsgerr *err, void *arg)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)((char *)err - NLMSG_HDRLEN);
	struct exchange *x = arg;
	int skip = sizeof(*err);

	(void)from;
	x->ret = err->error;
	x->done = true;
	dimg_error_set(x->e, -err->error, "%s", "");
	/* without the cap the kernel repeats our message before its words */
	if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
		skip += NLMSG_ALIGN(err->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (nlh->nlmsg_flags & NLM_F_ACK_TLVS &&
	    nlmsg_datalen(nlh) > skip)
		parse_ext_ack(x, (struct nlattr *)((char *)err + skip),
			      nlmsg_datalen(nlh) - skip);
	return NL_STOP;
}

static int on_ack(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->done = true;
	return NL_STOP;
}

/* End of a dump; the message holds an error code that libnl 3.7 ignores. */
static int on_finish(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *nlh = nlmsg_hdr(msg);
	struct exchange *x = arg;
	int code = 0;

	if (nlmsg_datalen(nlh) >= (int)sizeof(code))
		memcpy(&code, nlmsg_data(nlh), sizeof(code));
	if (code < 0 && !x->ret) {
		x->ret = code;
		dimg_error_set(x->e, -code, "%s", "");
	}
	x->done = true;
	return NL_STOP;
}

/* Set: libnl then reads the dump to its end instead of failing half way. */
static int on_dump_interrupted(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;

	(void)msg;
	x->interrupted = true;
	return NL_OK;
}

static int on_reply(struct nl_msg *msg, void *arg)
{
	struct exchange *x = arg;
	struct dimg_device dev;

	/* after a failure the rest is read only to empty the socket */
	if (x->ret)
		return NL_OK;
	x->ret = parse_device(msg, &dev);
	if (!x->ret && x->reply)
		x->ret = x->reply(&dev, x->arg);
	if (x->ret)
		dimg_error_set(x->e, -x->ret, "%s", x->ret == -EBADMSG ?
			       "the kernel's answer cannot be read" : "");
	return NL_OK;
}

/*
 * Send the request in @x and collect the answer. Frees the request.
 *
 * libnl's own numbers (NLE_*) lose the errno; errno itself is still that of
 * the failed system call, so it is what gets reported.
 */
static int exchange(struct dimg_nl *nl, struct exchange *x)
{
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int n;

	if (!cb)
		goto err_no_memory;
	nl_cb_err(cb, NL_CB_CUSTOM, on_error, x);
	nl_cb_set(cb, NL_CB_ACK, NL_CB_CUSTOM, on_ack, x);
	nl_cb_set(cb, NL_CB_FINISH, NL_CB_CUSTOM, on_finish, x);
	nl_cb_set(cb, NL_CB_DUMP_INTR, NL_CB_CUSTOM, on_dump_interrupted, x);
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, on_reply, x);
	errno = 0;
	n = nl_send_auto(nl->sock, x->request);
	while (n >= 0 && !x->done)
		n = nl_recvmsgs(nl->sock, cb);
	if (n < 0 && !x->done && !x->ret) {
		x->ret = errno ? -errno : -EIO;
		dimg_error_set(x->e, -x->ret, "netlink: %s", nl_geterror(n));
	}
	nl_cb_put(cb);
	nlmsg_free(x->request);
	return x->ret;

err_no_memory:
	nlmsg_free(x->request);
	dimg_error_set(x->e, ENOMEM, "%s", "");
	return -ENOMEM;
}

/* Start a request. NULL is out of memory, and says so in @e. */
static struct nl_msg *request_new(struct dimg_nl *nl, uint8_t cmd, int flags,
				  struct dimg_error *e)
{
	struct nl_msg *msg = nlmsg_alloc();

	if (msg && genlmsg_put(msg, NL_AUTO_PORT, NL_AUTO_SEQ, nl->family, 0,
			       flags, cmd, DIMGBLK_FAMILY_VERSION))
		return msg;
	nlmsg_free(msg);
	dimg_error_set(e, ENOMEM, "%s", "");
	return NULL;
}

/* Name the device: index and diskseq, so that no successor is hit. */
static void put_identity(struct nl_msg *msg, const struct dimg_device *dev)
{
	nla_put_u32(msg, DIMGBLK_A_INDEX, dev->index);
	if (dimg_device_knows(dev, DIMGBLK_A_DISKSEQ))
		nla_put_u64(msg, DIMGBLK_A_DISKSEQ, dev->diskseq);
}

/* Replies of single requests: the device goes to the caller. */
static int keep_device(struct dimg_device *dev, void *arg)
{
	dimg_device_free(arg);
	*(struct dimg_device *)arg = *dev;
	return 0;
}

static int keep_in_list(struct dimg_device *dev, void *arg)
{
	return dimg_devices_add(arg, dev);
}

/* Send @msg and keep the one device of the reply in @dev; -ENOMSG: there is none. */
static int exchange_one(struct dimg_nl *nl, struct nl_msg *msg,
			struct dimg_device *dev, struct dimg_error *e)
{
	struct exchange x = {
		.request = msg, .reply = keep_device, .arg = dev, .e = e,
	};
	int ret;

	memset(dev, 0, sizeof(*dev));
	ret = exchange(nl, &x);
	/* without it all is zero: device 0 would be taken for the answer */
	if (!ret && !dimg_device_knows(dev, DIMGBLK_A_INDEX)) {
		dimg_error_set(e, ENOMSG,
			       "done, but the kernel's answer is missing");
		ret = -ENOMSG;
	}
	if (ret)
		dimg_device_free(dev);
	return ret;
}

/**
 * dimg_nl_open - connect to the family of the driver
 * @nlp: set on success; give it to dimg_nl_close()
 *
 * Return: 0, -ENOENT if the kernel has no such family (the module is not
 * loaded), or another -errno with @e filled in.
 */
int dimg_nl_open(struct dimg_nl **nlp, struct dimg_error *e)
{
	struct dimg_nl *nl = calloc(1, sizeof(*nl));
	int fd, one = 1;

	dimg_error_set(e, ENOMEM, "%s", "");
	if (!nl)
		return -ENOMEM;
	nl->sock = nl_socket_alloc();
	if (!nl->sock)
		goto err_free;
	/* paths may be long: let libnl look at the size before it reads */
	nl_socket_enable_msg_peek(nl->sock);
	if (genl_connect(nl->sock)) {
		dimg_error_set(e, errno ? errno : EIO, "no netlink socket");
		goto err_free;
	}
	nl->family = genl_ctrl_resolve(nl->sock, DIMGBLK_FAMILY_NAME);
	if (nl->family < 0) {
		dimg_error_set(e, ENOENT, "the module dimgblk is not loaded");
		goto err_free;
	}
	/* without these a refusal has a number only; the tool still works */
	fd = nl_socket_get_fd(nl->sock);
	setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, &one, sizeof(one));
	setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, &one, sizeof(one));
	dimg_error_set(e, 0, "%s", "");
	*nlp = nl;
	return 0;

err_free:
	dimg_nl_close(nl);
	return -e->err;
}

/**
 * dimg_nl_inherit - let the program that is executed next keep the socket
 *
 * For the child after a fork(): devices that belong to the socket
 * (DIMGBLK_FLAG_SOCKET_OWNER) then live as long as that program.
 *
 * Return: 0 or -errno.
 */
int dimg_nl_inherit(struct dimg_nl *nl)
{
	return fcntl(nl_socket_get_fd(nl->sock), F_SETFD, 0) ? -errno : 0;
}

/* dimg_nl_close - end the connection; NULL is allowed. */
void dimg_nl_close(struct dimg_nl *nl)
{
	if (!nl)
		return;
	nl_socket_free(nl->sock);
	free(nl);
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

	msg = request_new(nl, DIMGBLK_CMD_DEVICE_ATTACH, 0, e);
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
	return exchange_one(nl, msg, dev, e);
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

	msg = request_new(nl, DIMGBLK_CMD_DEVICE_DETACH, 0, e);
	if (!msg)
		return -ENOMEM;
	put_identity(msg, dev);
	nla_put_u32(msg, DIMGBLK_A_DETACH_MODE, mode);
	return exchange_one(nl, msg, reply, e);
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

		x.request = request_new(nl, DIMGBLK_CMD_DEVICE_GET, NLM_F_DUMP,
					e);
		if (!x.request)
			return -ENOMEM;
		ret = exchange(nl, &x);
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

	msg = request_new(nl, DIMGBLK_CMD_DEVICE_SET, 0, e);
	if (!msg)
		return -ENOMEM;
	put_identity(msg, dev);
	nla_put_flag(msg, DIMGBLK_A_RESIZE);
	return exchange_one(nl, msg, reply, e);
}

/* dimg_nl_set_direct - switch direct I/O; @direct is DIMGBLK_DIRECT_*. */
int dimg_nl_set_direct(struct dimg_nl *nl, const struct dimg_device *dev,
		       uint32_t direct, struct dimg_device *reply,
		       struct dimg_error *e)
{
	struct nl_msg *msg;

	msg = request_new(nl, DIMGBLK_CMD_DEVICE_SET, 0, e);
	if (!msg)
		return -ENOMEM;
	put_identity(msg, dev);
	nla_put_u32(msg, DIMGBLK_A_DIRECT, direct);
	return exchange_one(nl, msg, reply, e);
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

static int on_event(struct nl_msg *msg, void *arg)
{
	void (*show)(const struct dimg_device *ev) = arg;
	struct dimg_device ev;

	if (nlmsg_hdr(msg)->nlmsg_type < NLMSG_MIN_TYPE ||
	    genlmsg_hdr(nlmsg_hdr(msg))->cmd != DIMGBLK_CMD_DEVICE_EVENT)
		return NL_SKIP;
	if (parse_device(msg, &ev))
		return NL_SKIP;
	show(&ev);
	dimg_device_free(&ev);
	return NL_OK;
}

/**
 * dimg_nl_next_events - read what has arrived
 * @show: called once for each event
 *
 * Return: 0, or -errno with @e filled in; -ENOBUFS when events were lost.
 */
int dimg_nl_next_events(struct dimg_nl *nl,
			void (*show)(const struct dimg_device *ev),
			struct dimg_error *e)
{
	int n;

	nl_socket_modify_cb(nl->sock, NL_CB_VALID, NL_CB_CUSTOM, on_event,
			    (void *)show);
	errno = 0;
	n = nl_recvmsgs_default(nl->sock);
	if (n >= 0 || n == -NLE_AGAIN)
		return 0;
	dimg_error_set(e, errno ? errno : EIO, "netlink: %s", nl_geterror(n));
	return -e->err;
}
