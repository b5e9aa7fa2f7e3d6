// SPDX-License-Identifier: GPL-2.0
/*
 * nlsocket.c - owns the socket to the family "dimgblk" and the exchange of one request
 * for its answer. libnl 3.7 cannot read extended acknowledgments, so they are asked for
 * and read here by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "nl.h"

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
	x->ret = nl_parse_device(msg, &dev);
	if (!x->ret && x->reply)
		x->ret = x->reply(&dev, x->arg);
	if (x->ret)
		dimg_error_set(x->e, -x->ret, "%s", x->ret == -EBADMSG ?
			       "the kernel's answer cannot be read" : "");
	return NL_OK;
}

/**
 * nl_exchange - send a request and collect the answer
 * @x: the request, which is freed, and what to do with each device of the answer
 *
 * libnl's own numbers (NLE_*) lose the errno; errno itself is still that of
 * the failed system call, so it is what gets reported.
 *
 * Return: 0, or -errno with @x->e filled in.
 */
int nl_exchange(struct dimg_nl *nl, struct exchange *x)
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

/**
 * nl_request_new - start a request
 * @cmd: DIMGBLK_CMD_*
 * @flags: NLM_F_*
 *
 * Return: the message, to be handed to nl_exchange(); NULL is out of memory, and
 * says so in @e.
 */
struct nl_msg *nl_request_new(struct dimg_nl *nl, uint8_t cmd, int flags,
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

/* Replies of single requests: the device goes to the caller. */
static int keep_device(struct dimg_device *dev, void *arg)
{
	dimg_device_free(arg);
	*(struct dimg_device *)arg = *dev;
	return 0;
}

/**
 * nl_exchange_one - send a request that is answered with one device
 * @msg: the request, which is freed
 * @dev: the device of the reply
 *
 * Return: 0, or -errno with @e filled in; -ENOMSG: there was no device.
 */
int nl_exchange_one(struct dimg_nl *nl, struct nl_msg *msg,
		    struct dimg_device *dev, struct dimg_error *e)
{
	struct exchange x = {
		.request = msg, .reply = keep_device, .arg = dev, .e = e,
	};
	int ret;

	memset(dev, 0, sizeof(*dev));
	ret = nl_exchange(nl, &x);
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
