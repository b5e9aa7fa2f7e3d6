/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/dimgblk.yaml */
/* YNL-GEN uapi header */
/* To regenerate run: make regen */

#ifndef _UAPI_LINUX_DIMGBLK_H
#define _UAPI_LINUX_DIMGBLK_H

#define DIMGBLK_FAMILY_NAME	"dimgblk"
#define DIMGBLK_FAMILY_VERSION	1

#define DIMGBLK_NAME_MAX_LEN	63

/**
 * enum dimgblk_device_flags - Switches of a device, chosen at attach.
 * @DIMGBLK_FLAG_READ_ONLY: The device refuses writes. Always set in replies
 *   when the backing file was opened without write access.
 * @DIMGBLK_FLAG_PARTITION_SCAN: Scan the partition table at attach; partition
 *   nodes may appear.
 * @DIMGBLK_FLAG_AUTO_DETACH: Detach at the last close after the first
 *   exclusive open (mount, swapon, device mapper, mkfs). Probes by udev do not
 *   count.
 * @DIMGBLK_FLAG_ALLOW_OVERLAP: Attach although another device maps overlapping
 *   bytes of the same backing file and one of the two is writable.
 * @DIMGBLK_FLAG_FOLLOW: The capacity follows the backing file as it grows: a
 *   moment after write(2), truncate(2) or fallocate(2) on this machine, and
 *   else at the next open of the device. It never shrinks by itself.
 * @DIMGBLK_FLAG_SOCKET_OWNER: Bound to the socket that attaches it: when that
 *   is closed, or its last holder dies, the device is detached as by the mode
 *   lazy.
 */
enum dimgblk_device_flags {
	DIMGBLK_FLAG_READ_ONLY = 1,
	DIMGBLK_FLAG_PARTITION_SCAN = 2,
	DIMGBLK_FLAG_AUTO_DETACH = 4,
	DIMGBLK_FLAG_ALLOW_OVERLAP = 8,
	DIMGBLK_FLAG_FOLLOW = 16,
	DIMGBLK_FLAG_SOCKET_OWNER = 32,
};

/**
 * enum dimgblk_direct_mode - Whether the backing file is read and written past
 *   the page cache.
 * @DIMGBLK_DIRECT_OFF: Always buffered.
 * @DIMGBLK_DIRECT_ON: Direct, and the operation is refused when that cannot be
 *   had.
 * @DIMGBLK_DIRECT_AUTO: Direct when it can be had, else buffered, with the
 *   reason told.
 */
enum dimgblk_direct_mode {
	DIMGBLK_DIRECT_OFF,
	DIMGBLK_DIRECT_ON,
	DIMGBLK_DIRECT_AUTO,
};

/**
 * enum dimgblk_detach_mode - What to do about a device in use.
 * @DIMGBLK_DETACH_STRICT: Refuse with EBUSY while the device is open.
 * @DIMGBLK_DETACH_LAZY: Detach now if unused, else at the last close.
 * @DIMGBLK_DETACH_FORCED: Detach now. Requests not yet handed to the backing
 *   file and all later ones fail with EIO; unwritten data of its users is
 *   lost.
 */
enum dimgblk_detach_mode {
	DIMGBLK_DETACH_STRICT,
	DIMGBLK_DETACH_LAZY,
	DIMGBLK_DETACH_FORCED,
};

/**
 * enum dimgblk_device_state - Stage of a device's life.
 * @DIMGBLK_STATE_LIVE: Attached and serving requests.
 * @DIMGBLK_STATE_DETACHING: Being removed; new opens are refused, requests are
 *   still served.
 * @DIMGBLK_STATE_DEAD: Being removed; requests fail with EIO. A device stays
 *   here while the backing file holds on to requests it was given before.
 * @DIMGBLK_STATE_DETACHED: Gone. Seen only in replies to device-detach and in
 *   events.
 */
enum dimgblk_device_state {
	DIMGBLK_STATE_LIVE,
	DIMGBLK_STATE_DETACHING,
	DIMGBLK_STATE_DEAD,
	DIMGBLK_STATE_DETACHED,
};

/**
 * enum dimgblk_event_type - What an event tells.
 * @DIMGBLK_EVENT_ATTACH: A device appeared.
 * @DIMGBLK_EVENT_DETACH: A device is gone.
 * @DIMGBLK_EVENT_RESIZE: The capacity changed.
 * @DIMGBLK_EVENT_SETTINGS: A setting changed, by request.
 * @DIMGBLK_EVENT_ERROR: A request failed; rate-limited per device.
 */
enum dimgblk_event_type {
	DIMGBLK_EVENT_ATTACH,
	DIMGBLK_EVENT_DETACH,
	DIMGBLK_EVENT_RESIZE,
	DIMGBLK_EVENT_SETTINGS,
	DIMGBLK_EVENT_ERROR,
};

/**
 * enum dimgblk_io_op - What a failed request wanted.
 * @DIMGBLK_IO_OP_READ: Read.
 * @DIMGBLK_IO_OP_WRITE: Write, also one with FUA.
 * @DIMGBLK_IO_OP_FLUSH: Make durable what was written.
 * @DIMGBLK_IO_OP_DISCARD: Give bytes back.
 * @DIMGBLK_IO_OP_WRITE_ZEROES: Zero bytes.
 */
enum dimgblk_io_op {
	DIMGBLK_IO_OP_READ,
	DIMGBLK_IO_OP_WRITE,
	DIMGBLK_IO_OP_FLUSH,
	DIMGBLK_IO_OP_DISCARD,
	DIMGBLK_IO_OP_WRITE_ZEROES,
};

enum {
	DIMGBLK_A_INDEX = 1,
	DIMGBLK_A_DISKSEQ,
	DIMGBLK_A_BACKING_FD,
	DIMGBLK_A_OFFSET,
	DIMGBLK_A_SIZE_LIMIT,
	DIMGBLK_A_LOGICAL_BLOCK_SIZE,
	DIMGBLK_A_FLAGS,
	DIMGBLK_A_DIRECT,
	DIMGBLK_A_NR_HW_QUEUES,
	DIMGBLK_A_QUEUE_DEPTH,
	DIMGBLK_A_NAME,
	DIMGBLK_A_CAPACITY,
	DIMGBLK_A_DIRECT_IN_USE,
	DIMGBLK_A_DIRECT_REASON,
	DIMGBLK_A_BACKING_PATH,
	DIMGBLK_A_BACKING_INODE,
	DIMGBLK_A_BACKING_MAJOR,
	DIMGBLK_A_BACKING_MINOR,
	DIMGBLK_A_OPEN_COUNT,
	DIMGBLK_A_STATE,
	DIMGBLK_A_DETACH_MODE,
	DIMGBLK_A_RESIZE,
	DIMGBLK_A_EVENT,
	DIMGBLK_A_ERROR,
	DIMGBLK_A_ERROR_SECTOR,
	DIMGBLK_A_MAJOR,
	DIMGBLK_A_MINOR,
	DIMGBLK_A_PAD,
	DIMGBLK_A_ERROR_COUNT,
	DIMGBLK_A_FIRST_ERROR,
	DIMGBLK_A_LAST_ERROR,

	__DIMGBLK_A_MAX,
	DIMGBLK_A_MAX = (__DIMGBLK_A_MAX - 1)
};

enum {
	DIMGBLK_IO_ERROR_A_ERROR = 1,
	DIMGBLK_IO_ERROR_A_OP,
	DIMGBLK_IO_ERROR_A_POS,
	DIMGBLK_IO_ERROR_A_LENGTH,
	DIMGBLK_IO_ERROR_A_TIME,
	DIMGBLK_IO_ERROR_A_PAD,

	__DIMGBLK_IO_ERROR_A_MAX,
	DIMGBLK_IO_ERROR_A_MAX = (__DIMGBLK_IO_ERROR_A_MAX - 1)
};

enum {
	DIMGBLK_CMD_DEVICE_ATTACH = 1,
	DIMGBLK_CMD_DEVICE_DETACH,
	DIMGBLK_CMD_DEVICE_GET,
	DIMGBLK_CMD_DEVICE_SET,
	DIMGBLK_CMD_DEVICE_EVENT,

	__DIMGBLK_CMD_MAX,
	DIMGBLK_CMD_MAX = (__DIMGBLK_CMD_MAX - 1)
};

#define DIMGBLK_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_DIMGBLK_H */
