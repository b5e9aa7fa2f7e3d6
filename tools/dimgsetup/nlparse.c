// SPDX-License-Identifier: GPL-2.0
/*
 * nlparse.c - owns what the messages of the family mean: which attribute goes in which
 * member of struct dimg_device.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "nl.h"

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

/**
 * nl_parse_device - turn a message into a device
 * @msg: of the family; attributes of a newer kernel are skipped
 * @dev: on success the caller's, to be freed with dimg_device_free()
 *
 * Return: 0, -ENOMEM, or -EBADMSG for an attribute that is too short.
 */
int nl_parse_device(struct nl_msg *msg, struct dimg_device *dev)
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
