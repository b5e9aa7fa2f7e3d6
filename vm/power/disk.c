// SPDX-License-Identifier: GPL-2.0
/*
 * Disk: an nbdkit plug-in, a disk with a volatile write cache and a log.
 *
 * Three exports. "disk" is the disk; between "begin" and "end" all that happens to
 * it is logged (events.h). "crash" has the contents that a power cut at some point
 * of a log leaves, to be tried and thrown away. "control" takes commands: text
 * written to its start is executed, the answer is read from there. So the guest
 * needs no other channel, and what it says is in the log in the order in which
 * it said it, even when it is killed a moment later.
 *
 * Writes are acknowledged after a random delay, out of order, and flushes take
 * time, so that a flush that was sent too early is too early.
 *
 * Parameters: size=BYTES, dir=DIRECTORY for logs, seed=N, delay=MICROSECONDS.
 */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NBDKIT_API_VERSION 2
#include <nbdkit-plugin.h>

#include "disk.h"

#define THREAD_MODEL NBDKIT_THREAD_MODEL_PARALLEL

struct power_disk disk = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.size = 96 << 20,
	.seed = 1,
	.delay = 300,
};

enum { EXPORT_DISK, EXPORT_CRASH, EXPORT_CONTROL };

static const char *const exports[] = { "disk", "crash", "control" };

static int disk_config(const char *key, const char *value)
{
	if (!strcmp(key, "size"))
		disk.size = nbdkit_parse_size(value);
	else if (!strcmp(key, "dir"))
		disk.dir = value;
	else if (!strcmp(key, "seed"))
		disk.seed = strtoull(value, NULL, 0);
	else if (!strcmp(key, "delay"))
		disk.delay = strtoul(value, NULL, 0);
	else
		nbdkit_error("unknown parameter %s", key);
	return 0;
}

static int disk_get_ready(void)
{
	disk.image = mmap(NULL, disk.size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	disk.crash = mmap(NULL, disk.size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!disk.dir || disk.image == MAP_FAILED || disk.crash == MAP_FAILED) {
		nbdkit_error("dir= is missing, or memory");
		return -1;
	}
	memset(disk.image, FOREIGN, disk.size);
	return 0;
}

static void *disk_open(int readonly)
{
	const char *name = nbdkit_export_name();
	int i;

	(void)readonly;
	for (i = EXPORT_DISK; i <= EXPORT_CONTROL; i++) {
		if (strcmp(name, exports[i]))
			continue;
		pthread_mutex_lock(&disk.lock);
		disk.client = nbdkit_peer_pid();
		disk.off = false;
		pthread_mutex_unlock(&disk.lock);
		return (void *)exports[i];
	}
	nbdkit_error("no export %s", name);
	return NULL;
}

static int export_of(void *handle)
{
	int i = EXPORT_DISK;

	while (exports[i] != handle)
		i++;
	return i;
}

static int64_t disk_get_size(void *handle)
{
	return export_of(handle) == EXPORT_CONTROL ? CONTROL_SIZE : disk.size;
}

static int disk_yes(void *handle)
{
	(void)handle;
	return 1;
}

static int disk_fua_native(void *handle)
{
	(void)handle;
	return NBDKIT_FUA_NATIVE;
}

/* Append to the log, with @disk.lock held. */
void power_log(enum power_event_type type, uint64_t id, uint64_t off, uint32_t len,
	       uint32_t flags, const void *data)
{
	static const char pad[8];
	struct power_event event = {
		.type = type, .flags = flags, .id = id, .off = off, .len = len,
		.data_len = data ? len : 0,
	};

	if (!disk.log)
		return;
	fwrite(&event, sizeof(event), 1, disk.log);
	if (data) {
		fwrite(data, len, 1, disk.log);
		fwrite(pad, -len & 7, 1, disk.log);
	}
	disk.seq++;
}

/* Up to @disk.delay microseconds, another time for each caller. */
static void dawdle(uint64_t draw)
{
	if (disk.delay && disk.log)
		usleep(power_mix(draw ^ disk.seed) % disk.delay + 1);
}

static int disk_pread(void *handle, void *buf, uint32_t count, uint64_t offset,
		      uint32_t flags)
{
	int export = export_of(handle);

	(void)flags;
	pthread_mutex_lock(&disk.lock);
	if (export == EXPORT_CONTROL)
		memcpy(buf, disk.answer + offset, count);
	else
		memcpy(buf, (export == EXPORT_DISK ? disk.image : disk.crash) +
		       offset, count);
	pthread_mutex_unlock(&disk.lock);
	return 0;
}

static void put(unsigned char *to, const void *buf, uint32_t count)
{
	if (buf)
		memcpy(to, buf, count);
	else
		memset(to, 0, count);
}

/* A write, or without @buf one of zeros. */
static int disk_write(void *handle, const void *buf, uint32_t count,
		      uint64_t offset, uint32_t flags)
{
	int export = export_of(handle);
	uint64_t id;
	bool off;

	pthread_mutex_lock(&disk.lock);
	off = disk.off;
	if (export == EXPORT_CONTROL && !off && buf)
		power_command(buf, count);
	if (export == EXPORT_CRASH)
		put(disk.crash + offset, buf, count);
	if (export != EXPORT_DISK || off) {
		pthread_mutex_unlock(&disk.lock);
		return 0;
	}
	id = ++disk.last_id;
	put(disk.image + offset, buf, count);
	power_log(buf ? POWER_WRITE : POWER_ZERO, id, offset, count,
		  flags & NBDKIT_FLAG_FUA ? POWER_FUA : 0, buf);
	pthread_mutex_unlock(&disk.lock);

	dawdle(id);
	pthread_mutex_lock(&disk.lock);
	power_log(POWER_DONE, id, 0, 0, 0, NULL);
	pthread_mutex_unlock(&disk.lock);
	return 0;
}

static int disk_pwrite(void *handle, const void *buf, uint32_t count,
		       uint64_t offset, uint32_t flags)
{
	return disk_write(handle, buf, count, offset, flags);
}

static int disk_zero(void *handle, uint32_t count, uint64_t offset, uint32_t flags)
{
	return disk_write(handle, NULL, count, offset, flags);
}

static int disk_flush(void *handle, uint32_t flags)
{
	uint64_t began;

	(void)flags;
	if (export_of(handle) != EXPORT_DISK)
		return 0;
	pthread_mutex_lock(&disk.lock);
	began = disk.seq;
	pthread_mutex_unlock(&disk.lock);
	dawdle(began + (1ULL << 32));
	pthread_mutex_lock(&disk.lock);
	power_log(POWER_FLUSH, began, 0, 0, 0, NULL);
	pthread_mutex_unlock(&disk.lock);
	return 0;
}

static struct nbdkit_plugin plugin = {
	.name = "powerdisk",
	.longname = "disk with a volatile write cache",
	.config = disk_config,
	.get_ready = disk_get_ready,
	.open = disk_open,
	.get_size = disk_get_size,
	.can_write = disk_yes,
	.can_flush = disk_yes,
	.can_zero = disk_yes,
	.can_fast_zero = disk_yes,
	.can_trim = disk_yes,
	.can_fua = disk_fua_native,
	.can_multi_conn = disk_yes,
	.pread = disk_pread,
	.pwrite = disk_pwrite,
	.zero = disk_zero,
	.trim = disk_zero,
	.flush = disk_flush,
};

NBDKIT_REGISTER_PLUGIN(plugin)
