// SPDX-License-Identifier: GPL-2.0
/*
 * flock.c - owns the wait for a courtesy lock: flock(2), which udev takes on a
 * disk while it looks at it, and two dimgsetups on an image take in turns.
 */
#include <errno.h>
#include <sys/file.h>
#include <time.h>

#include "dimgsetup.h"

/* Whoever has it for longer does not look, but works: not to be waited for. */
#define FLOCK_LIMIT_US		(10 * 1000000ULL)
#define FLOCK_POLL_NS		10000000L

/**
 * dimg_flock - lock a file or device against others that lock it, with a wait
 * @fd: open file; the lock is gone when it is closed everywhere
 *
 * May sleep for 10 seconds. A signal does not end the wait.
 *
 * Return: 0; -EWOULDBLOCK if another has it all that time; another -errno where
 * there are no such locks.
 */
int dimg_flock(int fd)
{
	const struct timespec pause = { .tv_nsec = FLOCK_POLL_NS };
	uint64_t deadline_us = dimg_now_us() + FLOCK_LIMIT_US;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK || dimg_now_us() > deadline_us)
			return -errno;
		nanosleep(&pause, NULL);
	}
	return 0;
}
