/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the two halves of the plug-in share: disk.c, which serves reads and writes,
 * and control.c, which executes commands.
 */
#ifndef DIMGBLK_POWER_DISK_H
#define DIMGBLK_POWER_DISK_H

#include <pthread.h>
#include <stdio.h>
#include <sys/types.h>

#include "events.h"

#define CONTROL_SIZE	(1 << 20)
/* Contents of free space, that must never be seen. */
#define FOREIGN	0xa7

struct power_disk {
	pthread_mutex_t lock;		/* of all below */
	size_t size;
	const char *dir;
	uint64_t seed;
	unsigned int delay;		/* microseconds at most */
	pid_t client;
	unsigned char *image;		/* what the guest sees */
	unsigned char *crash;
	FILE *log;			/* while recording */
	uint64_t seq;			/* events in the log */
	uint64_t last_id;
	bool off;			/* the power is gone, until the next guest */
	char answer[CONTROL_SIZE];
};

extern struct power_disk disk;

void power_log(enum power_event_type type, uint64_t id, uint64_t off, uint32_t len,
	       uint32_t flags, const void *data);
void power_command(const char *text, size_t len);

#endif /* DIMGBLK_POWER_DISK_H */
