// SPDX-License-Identifier: GPL-2.0
/*
 * room.c - owns the question how much room a file system has, which some answer
 * late: what was removed a moment ago is not free yet.
 */
#include <linux/magic.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "dimgsetup.h"

#define ROOM_POLL_NS	50000000L
/* Without any change for so long, nothing is being freed any more. */
#define ROOM_LIMIT_US	3000000ULL

/* Bytes that this user may still take; UINT64_MAX if the file system does not know. */
static uint64_t look(int fd)
{
	struct statvfs vfs;

	if (fstatvfs(fd, &vfs) || !vfs.f_blocks)
		return UINT64_MAX;
	/* root may use what is kept back for it */
	return (geteuid() ? vfs.f_bavail : vfs.f_bfree) * (uint64_t)vfs.f_frsize;
}

/**
 * dimg_room - how much room the file system of a file has
 * @fd: the file
 * @want: as much is asked for; with less it is given the time to free what it is about to
 *
 * XFS frees the blocks of a removed file in the background, btrfs when it commits.
 *
 * Context: waits some seconds if there is less than @want, on XFS for as long as there
 * becomes more; syncs a btrfs.
 *
 * Return: bytes; UINT64_MAX if it cannot be told.
 */
uint64_t dimg_room(int fd, uint64_t want)
{
	const struct timespec pause = { .tv_nsec = ROOM_POLL_NS };
	uint64_t room = look(fd), before = room, since = dimg_now_us();
	struct statfs fs;

	if (room >= want || fstatfs(fd, &fs))
		return room;
	if (fs.f_type == BTRFS_SUPER_MAGIC) {
		syncfs(fd);
		return look(fd);
	}
	if (fs.f_type != XFS_SUPER_MAGIC)
		return room;
	while (room < want && dimg_now_us() - since < ROOM_LIMIT_US) {
		nanosleep(&pause, NULL);
		room = look(fd);
		if (room > before) {
			before = room;
			since = dimg_now_us();
		}
	}
	return room;
}
