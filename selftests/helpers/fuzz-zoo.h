/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The descriptors that the fuzzer offers as backing files: images opened in every
 * way, and one of everything that is no image. They are opened before the senders
 * are born, so that a user has what root has opened (the fd of a confused deputy).
 */
#ifndef DIMGBLK_SELFTEST_FUZZ_ZOO_H
#define DIMGBLK_SELFTEST_FUZZ_ZOO_H

#include <fcntl.h>
#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <linux/fs.h>

#include "io.h"

#define ZOO_MAX		96
#define ZOO_IMAGE_SIZE	(1 << 20)	/* images have 1 to 4 times this */
#define ZOO_IMAGES	6

struct zoo {
	int nr_good, good[ZOO_MAX];	/* an attach may succeed */
	int nr_bad, bad[ZOO_MAX];	/* it must not */
	int images[ZOO_IMAGES];		/* the regular files, to resize and compare */
	struct stat stats[ZOO_IMAGES];
	__u64 largest;			/* bytes of the largest backing there is */
};

static inline void zoo_add(int *list, int *nr, int fd)
{
	if (fd != -1 && *nr < ZOO_MAX)
		list[(*nr)++] = fd;
}

static inline void zoo_good(struct zoo *z, int fd)
{
	struct stat st;
	__u64 size = 0;

	if (fd < 0 || fstat(fd, &st))
		return;
	if (!S_ISBLK(st.st_mode) || ioctl(fd, BLKGETSIZE64, &size))
		size = st.st_size;
	if (size > z->largest)
		z->largest = size;
	zoo_add(z->good, &z->nr_good, fd);
}

static inline void zoo_bad(struct zoo *z, int fd)
{
	zoo_add(z->bad, &z->nr_bad, fd);
}

static inline int zoo_memfd(unsigned int seals)
{
	int fd = memfd_create("zoo", MFD_ALLOW_SEALING | MFD_CLOEXEC);

	if (fd < 0 || ftruncate(fd, ZOO_IMAGE_SIZE) || fcntl(fd, F_ADD_SEALS, seals))
		return -1;
	return fd;
}

/* Image @i in @dir: filled with a pattern of its own. */
static inline void zoo_image(struct zoo *z, const char *dir, int i)
{
	static const int modes[] = {
		O_RDWR, O_RDONLY, O_RDWR | O_DSYNC, O_RDWR | O_DIRECT,
	};
	static const int unfit[] = { O_WRONLY, O_PATH, O_RDWR | O_APPEND };
	size_t len = ZOO_IMAGE_SIZE * (1 + i % 4), m;
	unsigned char *bytes = aligned_buffer(len);
	char path[PATH_MAX];
	int fd;

	snprintf(path, sizeof(path), "%s/zoo%d.img", dir, i);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	pattern_fill(bytes, len, i + 1, 0);
	if (fd < 0 || write(fd, bytes, len) != (ssize_t)len ||
	    fstat(fd, &z->stats[i])) {
		perror(path);
		exit(2);
	}
	free(bytes);
	z->images[i] = fd;
	z->largest = 4 * ZOO_IMAGE_SIZE;
	for (m = 0; m < ARRAY_SIZE(modes); m++)
		zoo_good(z, open(path, modes[m] | O_CLOEXEC));
	for (m = 0; i == 1 && m < ARRAY_SIZE(unfit); m++)
		zoo_bad(z, open(path, unfit[m] | O_CLOEXEC));
	/* The last one lives on without a name. */
	if (i == ZOO_IMAGES - 1)
		unlink(path);
}

static inline void zoo_add_bad(struct zoo *z, const char *dir)
{
	static const char * const paths[] = {
		"/dev/null", "/dev/zero", "/dev/full", "/dev/urandom", "/dev/kmsg",
		"/proc/version", "/proc/self/mem", "/proc/self/maps", "/proc/kcore",
		"/sys/kernel/mm/transparent_hugepage/enabled",
		"/sys/module/dimgblk/parameters/max_devices",
		"/sys/kernel/debug/sleep_time", "/sys/kernel/tracing/trace",
		"/sys/fs/cgroup/cgroup.procs", "/dev/ptmx", "/proc/self/ns/mnt",
	};
	static const int no_fds[] = {
		900, -2, INT_MAX, INT_MIN, 1 << 20, 0x10000, 1023,
	};
	int p[2], sizes[] = { 0, 1, 511 };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		zoo_bad(z, open(paths[i], O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
	for (i = 0; i < ARRAY_SIZE(no_fds); i++)
		zoo_bad(z, no_fds[i]);
	zoo_bad(z, open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	zoo_bad(z, open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	mkfifo(path, 0600);
	zoo_bad(z, open(path, O_RDWR | O_CLOEXEC));
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		snprintf(path, sizeof(path), "%s/tiny%zu", dir, i);
		zoo_bad(z, open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600));
		if (truncate(path, sizes[i]))
			perror(path);
	}
	if (!pipe2(p, O_CLOEXEC)) {
		zoo_bad(z, p[0]);
		zoo_bad(z, p[1]);
	}
	zoo_bad(z, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	zoo_bad(z, socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC));
	zoo_bad(z, epoll_create1(EPOLL_CLOEXEC));
	zoo_bad(z, eventfd(0, EFD_CLOEXEC));
	zoo_bad(z, inotify_init1(IN_CLOEXEC));
	zoo_bad(z, syscall(SYS_pidfd_open, getpid(), 0));
}

/* @more: further backing files and block devices, such as a node of dimgblk. */
static inline void zoo_open(struct zoo *z, const char *dir, char **more, int nr_more)
{
	static const unsigned int seals[] = {
		0, F_SEAL_WRITE, F_SEAL_SHRINK, F_SEAL_SHRINK | F_SEAL_GROW,
	};
	size_t i;

	memset(z, 0, sizeof(*z));
	for (i = 0; i < ZOO_IMAGES; i++)
		zoo_image(z, dir, i);
	for (i = 0; i < ARRAY_SIZE(seals); i++)
		zoo_good(z, zoo_memfd(seals[i]));
	while (nr_more--) {
		zoo_good(z, open(more[nr_more], O_RDWR | O_CLOEXEC));
		zoo_good(z, open(more[nr_more], O_RDONLY | O_CLOEXEC));
		zoo_bad(z, open(more[nr_more], O_PATH | O_CLOEXEC));
	}
	zoo_add_bad(z, dir);
}

#endif /* DIMGBLK_SELFTEST_FUZZ_ZOO_H */
