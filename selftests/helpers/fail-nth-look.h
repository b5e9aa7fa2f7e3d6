/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The look of fail-nth.c at a device from outside: netlink, sysfs, nodes, the bytes
 * behind it, references to the module; and one read, write or discard.
 */
#ifndef DIMGBLK_SELFTEST_FAIL_NTH_LOOK_H
#define DIMGBLK_SELFTEST_FAIL_NTH_LOOK_H

#include <sys/ioctl.h>
#include <linux/fs.h>

#include "fail-nth.h"

static inline int count_devices(struct sweep *s)
{
	must(s, send_get(s, 0, NLM_F_DUMP), "dump");
	return s->told;
}

/* The path of something of a device: "/dev/dimgblk%u", "/sys/block/...". */
static inline const char *path_of(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static inline const char *path_of(const char *format, ...)
{
	static char path[128];
	va_list args;

	va_start(args, format);
	vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	return path;
}

static inline unsigned long long device_size(struct sweep *s)
{
	return number_in(path_of("/sys/block/dimgblk%u/size", s->index)) * 512;
}

static inline int device_direct(struct sweep *s)
{
	if (count_devices(s) != 1)
		broken(s, "%d devices", s->told);
	return s->direct_in_use;
}

/* Nothing is left of it, nor of one that was not to be. */
static inline void check_absent(struct sweep *s)
{
	unsigned int i;

	/* A detach that takes longer than some seconds is answered before its end. */
	for (i = 0; count_devices(s) && i < 1000; i++)
		usleep(10000);
	if (count_devices(s))
		broken(s, "a device is listed");
	if (!access(path_of("/sys/block/dimgblk%u", s->index), F_OK) ||
	    !access(path_of("/dev/dimgblk%u", s->index), F_OK))
		broken(s, "a disk is left");
	/* The reference goes with the tail of the work that detached it. */
	for (i = 0; i < 1000; i++) {
		if (number_in("/sys/module/dimgblk/refcnt") == s->refs)
			return;
		usleep(10000);
	}
	broken(s, "module references: %lld, not %d",
	       number_in("/sys/module/dimgblk/refcnt"), s->refs);
}

static inline int has_partition(const struct sweep *s)
{
	return !access(path_of("/sys/block/dimgblk%u/dimgblk%up1",
			       s->index, s->index), F_OK) &&
	       !access(path_of("/dev/dimgblk%up1", s->index), F_OK);
}

/* The device is complete and has the bytes of the image. */
static inline void check_present(struct sweep *s)
{
	int fd;

	if (count_devices(s) != 1) {
		broken(s, "%d devices are listed", s->told);
		return;
	}
	if (access(path_of("/sys/block/dimgblk%u/dimgblk/backing_file", s->index), F_OK))
		broken(s, "attributes are missing");
	fd = open(path_of("/dev/dimgblk%u", s->index), O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0) {
		broken(s, "open: %s", strerror(errno));
		return;
	}
	if ((s->kind->flags & DIMGBLK_FLAG_PARTITION_SCAN) && !has_partition(s)) {
		/* The block layer tells nobody but the log of what it left out. */
		s->rescans++;
		if (!s->injected || ioctl(fd, BLKRRPART) || !has_partition(s))
			broken(s, "the partition is missing");
	}
	if (pread(fd, s->other, 4096, 0) != 4096)
		broken(s, "read: %s", strerror(errno));
	close(fd);
	if (pread(s->image, s->other + 4096, 4096, s->kind->offset) != 4096 ||
	    memcmp(s->other, s->other + 4096, 4096))
		broken(s, "the device is not the image");
}

#define IO_POS	(2 << 20)

enum io { IO_READ, IO_WRITE, IO_ZERO };

static inline enum outcome device_io(struct sweep *s, unsigned int n, enum io io)
{
	__u64 range[2] = { IO_POS, IO_SIZE };
	int fd = open(path_of("/dev/dimgblk%u", s->index), O_RDWR | O_DIRECT | O_CLOEXEC);
	long ret;

	if (fd < 0) {
		broken(s, "open: %s", strerror(errno));
		return BEFORE;
	}
	arm(s, n);
	if (io == IO_READ)
		ret = pread(fd, s->data, IO_SIZE, IO_POS);
	else if (io == IO_WRITE)
		ret = pwrite(fd, s->data, IO_SIZE, IO_POS);
	else
		ret = ioctl(fd, BLKDISCARD, range) ? -1 : IO_SIZE;
	ret = ret < 0 ? -errno : ret < IO_SIZE ? -EIO : 0;
	if (n)
		disarm(s);
	close(fd);
	return answered(s, ret);
}

static inline void check_range(struct sweep *s)
{
	if (pread(s->image, s->other, IO_SIZE, s->kind->offset + IO_POS) != IO_SIZE ||
	    memcmp(s->other, s->data, IO_SIZE))
		broken(s, "acknowledged, but the image has other bytes");
}

#endif /* DIMGBLK_SELFTEST_FAIL_NTH_LOOK_H */
