// SPDX-License-Identifier: GPL-2.0
/*
 * mkfs.c - owns what is known of each mkfs program: its options for label and
 * UUID, and what these may be, so that a mistake shows before anything is made.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

#define ARGS_MAX	16

/**
 * struct fs - a file system that can be made
 * @type: as in --mkfs and mount -t
 * @fixed: options that are always given: be quiet, do not ask
 * @no_discard: option that keeps allocated blocks allocated
 * @label_max: bytes
 * @volume_id: 8 hexadecimal digits instead of a UUID
 */
static const struct fs {
	const char *type, *program;
	const char *fixed[3];
	const char *no_discard[2];
	const char *label_option, *uuid_option, *uuid_prefix;
	size_t label_max;
	bool volume_id;
} all_fs[] = {
	{ "ext4", "mkfs.ext4", { "-q", "-F" }, { "-E", "nodiscard" },
	  "-L", "-U", "", 16, false },
	{ "xfs", "mkfs.xfs", { "-q", "-f" }, { "-K" },
	  "-L", "-m", "uuid=", 12, false },
	{ "btrfs", "mkfs.btrfs", { "-q", "-f" }, { "-K" },
	  "-L", "-U", "", 255, false },
	{ "vfat", "mkfs.vfat", { NULL }, { NULL },
	  "-n", "-i", "", 11, true },
};

static const struct fs *find(const char *type)
{
	size_t i;

	for (i = 0; i < sizeof(all_fs) / sizeof(*all_fs); i++)
		if (!strcmp(all_fs[i].type, type))
			return &all_fs[i];
	return NULL;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool is_uuid(const char *s)
{
	size_t i;

	for (i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? s[i] != '-' : !isxdigit((unsigned char)s[i]))
			return false;
	}
	return !s[36];
}

/* XXXX-XXXX as blkid shows it, or without the dash, as mkfs.vfat takes it. */
static bool is_volume_id(const char *s)
{
	size_t digits = 0, i;

	for (i = 0; s[i]; i++) {
		if (s[i] == '-' && i == 4)
			continue;
		if (!isxdigit((unsigned char)s[i]))
			return false;
		digits++;
	}
	return digits == 8;
}

/*
 * Labels that would be cut, or that make links in /dev/disk/by-label and lines
 * in fstab which nobody can read.
 */
static int check_label(const struct fs *fs, const char *label)
{
	const char *s;

	if (!*label)
		return dimg_usage_error("--label: the label is empty");
	if (strlen(label) > fs->label_max)
		return dimg_usage_error("--label: a label of %s has %zu bytes at most; this one has %zu",
					fs->type, fs->label_max, strlen(label));
	for (s = label; *s; s++)
		if (iscntrl((unsigned char)*s))
			return dimg_usage_error("--label: the label has control characters");
	if (!fs->volume_id)
		return 0;
	for (s = label; *s; s++) {
		if (islower((unsigned char)*s))
			return dimg_usage_error("--label: labels of vfat are in capitals, as in \"DISK1\"");
		if ((unsigned char)*s > 126 || strchr("\"*+,./:;<=>?[\\]|", *s))
			return dimg_usage_error("--label: a label of vfat cannot have \"%c\"",
						(unsigned char)*s > 126 ? '?' : *s);
	}
	return 0;
}

static int check_uuid(const struct fs *fs, const char *uuid)
{
	if (fs->volume_id && !is_volume_id(uuid))
		return dimg_usage_error("--uuid: vfat has a volume ID of 8 hexadecimal digits, such as 1234-ABCD");
	if (!fs->volume_id && !is_uuid(uuid))
		return dimg_usage_error("--uuid: \"%s\" is no UUID, such as 0a1b2c3d-0123-4567-89ab-0a1b2c3d4e5f",
					uuid);
	return 0;
}

/**
 * dimg_mkfs_check - whether a file system can be made as asked for
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_mkfs_check(const struct dimg_mkfs *m)
{
	const struct fs *fs = find(m->type);
	int ret = 0;

	if (!fs)
		return dimg_usage_error("--mkfs takes ext4, xfs, btrfs or vfat, not \"%s\"",
					m->type);
	if (m->label)
		ret = check_label(fs, m->label);
	if (!ret && m->uuid)
		ret = check_uuid(fs, m->uuid);
	return ret ? ret : dimg_run_check(fs->program);
}

/* Append up to @n words of a table, which end with NULL. */
static size_t add(const char **argv, size_t argc, const char * const *words,
		  size_t n)
{
	size_t i;

	for (i = 0; i < n && words[i]; i++)
		argv[argc++] = words[i];
	return argc;
}

/* @uuid as the program takes it; to be freed. */
static char *uuid_argument(const struct fs *fs, const char *uuid)
{
	char *s, *dash;

	if (asprintf(&s, "%s%s", fs->uuid_prefix, uuid) < 0)
		return NULL;
	dash = fs->volume_id ? strchr(s, '-') : NULL;
	if (dash)
		memmove(dash, dash + 1, strlen(dash));
	return s;
}

/**
 * dimg_mkfs - make a file system that fills a file
 * @path: of the image, for messages
 * @fd: the file
 * @m: what to make; dimg_mkfs_check() has found it right
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_mkfs(const char *path, int fd, const struct dimg_mkfs *m)
{
	const struct fs *fs = find(m->type);
	struct dimg_run r = { .fd = fd };
	const char *argv[ARGS_MAX] = { fs->program };
	char *uuid = NULL, file[32], hidden[24];
	size_t n = 1;
	int ret;

	n = add(argv, n, fs->fixed, 3);
	if (m->keep_blocks)
		n = add(argv, n, fs->no_discard, 2);
	if (m->label)
		n = add(argv, n, (const char *[]){ fs->label_option, m->label }, 2);
	if (m->uuid) {
		uuid = uuid_argument(fs, m->uuid);
		n = add(argv, n, (const char *[]){ fs->uuid_option, uuid }, 2);
	}
	/* FAT notes where its partition begins; boot loaders look at it */
	if (fs->volume_id && m->start) {
		snprintf(hidden, sizeof(hidden), "%llu",
			 (unsigned long long)m->start / DIMG_SECTOR_SIZE);
		n = add(argv, n, (const char *[]){ "-h", hidden }, 2);
	}
	/* the file may have no name yet */
	snprintf(file, sizeof(file), "/proc/self/fd/%d", fd);
	argv[n] = file;
	ret = dimg_run((char *const *)argv, &r);
	if (!ret && r.status)
		ret = dimg_run_fail(path, (char *const *)argv, &r,
				    "Nothing was made. Take a larger size if the file system does not fit, or make room on the disk.");
	free(uuid);
	return ret;
}
