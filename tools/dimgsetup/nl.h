/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nl.h - what the files of the conversation with the kernel share: nl.c (what can
 * be asked), nlsocket.c (how it is asked) and nlparse.c (what the answer means). No
 * other file includes <netlink/...>.
 */
#ifndef DIMG_NL_H
#define DIMG_NL_H

#include <linux/netlink.h>
#include <netlink/genl/ctrl.h>
#include <netlink/genl/genl.h>
#include <netlink/netlink.h>

#include "dimgsetup.h"

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

/* nlparse.c */
int nl_parse_device(struct nl_msg *msg, struct dimg_device *dev);

/* nlsocket.c */
struct nl_msg *nl_request_new(struct dimg_nl *nl, uint8_t cmd, int flags,
			      struct dimg_error *e);
int nl_exchange(struct dimg_nl *nl, struct exchange *x);
int nl_exchange_one(struct dimg_nl *nl, struct nl_msg *msg,
		    struct dimg_device *dev, struct dimg_error *e);

#endif
