/* SPDX-License-Identifier: GPL-2.0 */
/*
 * resize.h - what the files of the command "resize" hand to each other:
 * resize.c (command line and order of the steps), resizeopen.c (image, device and
 * their sizes), resizeplan.c (what is in it, what will be, what is refused),
 * resizefs.c (file systems).
 */
#ifndef DIMGSETUP_RESIZE_H
#define DIMGSETUP_RESIZE_H

#include "dimgsetup.h"

/**
 * struct resize - one run of the command
 * @arg: the image, device or name, as the user wrote it
 * @has_size: @change was given
 * @nl: NULL if there is no need of the driver
 * @dev: the device, if @attached or @borrowed
 * @attached: the image has a device; @borrowed: for as long as this command runs
 * @path: of the image; @fd: open for writing; -1 if its size stays and it is
 *	not needed
 * @file_old, @file_new: bytes of the image
 * @disk_fd: what the contents are read from and the table is written to: the
 *	device, or the image if it is not attached
 * @disk_old, @disk_new: bytes of the disk in the image, by offset and size limit
 * @pttype: of a partition table; NULL if there is none
 * @part: the last partition; @part_old: its bytes now, @part.size: to be
 * @draft: the GPT of a disk that becomes smaller; -1 if none
 * @fs: what the disk or its last partition has; @fs_old, @fs_new: bytes; @fs_old
 *	is 0 if the file system need not become smaller
 * @devid: which device of a btrfs this is, in its own count
 */
struct resize {
	const char *arg;
	bool all;
	bool shrink;
	bool dry_run;
	bool has_size;
	struct dimg_size_change change;

	struct dimg_nl *nl;
	struct dimg_device dev;
	bool attached;
	bool borrowed;
	char *path;
	int fd;
	uint64_t file_old;
	uint64_t file_new;

	int disk_fd;
	uint64_t disk_old;
	uint64_t disk_new;
	uint32_t sector_size;
	char *pttype;
	struct dimg_partition part;
	uint64_t part_old;
	int draft;
	struct dimg_probe fs;
	uint64_t fs_old;
	uint64_t fs_new;
	uint64_t devid;
};

/* resizeopen.c */
int resize_open(struct resize *r);
int resize_open_disk(struct resize *r);
void resize_read_disk_only(struct resize *r);
int resize_close(struct resize *r);

/* resize.c */
void resize_step(const char *fmt, ...)
	__printf(1, 2);
void resize_step_sizes(const char *what, uint64_t from, uint64_t to);

/* resizefile.c */
int resize_file(const struct resize *r);

/* resizeplan.c */
uint64_t resize_window(const struct dimg_device *dev, uint64_t file_bytes);
int resize_plan(struct resize *r);

/* resizefs.c */
enum resize_fs {
	RESIZE_FS_NONE,		/* nothing is there */
	RESIZE_FS_EXT,		/* larger: mounted or not; smaller: not mounted */
	RESIZE_FS_XFS,		/* larger: mounted */
	RESIZE_FS_BTRFS,	/* mounted */
	RESIZE_FS_LUKS,		/* whoever has the key does it */
	RESIZE_FS_OTHER,	/* no program resizes it */
};

enum resize_fs resize_fs_kind(const struct resize *r);
int resize_fs_size(const struct resize *r, uint64_t *bytes);
int resize_fs_check(struct resize *r);
int resize_fs_verify(const struct resize *r);
int resize_fs_run(const struct resize *r);
void resize_fs_node(const struct resize *r, char *node, size_t len);

#endif /* DIMGSETUP_RESIZE_H */
