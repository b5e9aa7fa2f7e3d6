// SPDX-License-Identifier: GPL-2.0
/*
 * partition.c - owns the choice of one partition of an image: what --part means
 * and what is said when it means nothing, or more than one thing.
 *
 * A number is the partition of that number. Other text is compared with the
 * names and UUIDs in the partition table and with the labels and UUIDs of the
 * file systems; only a single match counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "dimgsetup.h"

/* One line about a partition, for a person who has to choose. */
static void print_partition(const struct dimg_partition *part,
			    const struct dimg_probe *fs)
{
	char size[16];

	dimg_human_size(part->size, size, sizeof(size));
	fprintf(stderr, "  %u: %s", part->nr, size);
	if (part->container)
		fputs(", extended partition", stderr);
	else if (fs->ambivalent)
		fputs(", several signatures", stderr);
	else
		fprintf(stderr, ", %s", fs->type ? fs->type : "no file system");
	if (part->name) {
		fputs(", name ", stderr);
		dimg_fputs_escaped(part->name, stderr);
	}
	if (fs->label) {
		fputs(", label ", stderr);
		dimg_fputs_escaped(fs->label, stderr);
	}
	if (part->uuid)
		fprintf(stderr, ", PARTUUID %s", part->uuid);
	if (fs->uuid) {
		fputs(", UUID ", stderr);
		dimg_fputs_escaped(fs->uuid, stderr);
	}
	fputc('\n', stderr);
}

/* What lies in each partition; one for each of @parts, NULL without memory. */
static struct dimg_probe *probe_all(const struct dimg_image *img,
				    const struct dimg_partitions *parts)
{
	struct dimg_probe *fs = calloc(parts->n + 1, sizeof(*fs));
	size_t i;

	/* one that cannot be read, or ends behind the image, has its number still */
	for (i = 0; fs && i < parts->n; i++)
		if (!parts->v[i].container)
			dimg_probe(img->fd, parts->v[i].start,
				   parts->v[i].size, &fs[i]);
	return fs;
}

static void free_all(struct dimg_probe *fs, const struct dimg_partitions *parts)
{
	size_t i;

	for (i = 0; fs && i < parts->n; i++)
		dimg_probe_free(&fs[i]);
	free(fs);
}

/* dimg_partition_list - print the partitions on stderr, for who has to choose. */
void dimg_partition_list(const struct dimg_image *img,
			 const struct dimg_partitions *parts)
{
	struct dimg_probe *fs = probe_all(img, parts);
	size_t i;

	for (i = 0; fs && i < parts->n; i++)
		print_partition(&parts->v[i], &fs[i]);
	free_all(fs, parts);
}

static bool is_number(const char *s)
{
	return *s && !s[strspn(s, "0123456789")];
}

/**
 * dimg_partition_matches - does the argument of --part mean this partition?
 * @arg: number, name, label or UUID
 * @fs: what lies in the partition
 */
bool dimg_partition_matches(const char *arg, const struct dimg_partition *part,
			    const struct dimg_probe *fs)
{
	uint32_t nr;

	if (is_number(arg))
		return !dimg_parse_u32(arg, &nr) && nr == part->nr;
	/* UUIDs are written in either case; names and labels mean what they say */
	return (part->name && !strcmp(part->name, arg)) ||
	       (fs->label && !strcmp(fs->label, arg)) ||
	       (part->uuid && !strcasecmp(part->uuid, arg)) ||
	       (fs->uuid && !strcasecmp(fs->uuid, arg));
}

/* All of them with their matches counted; @chosen is the last match. */
static size_t match_all(const char *arg, const struct dimg_partitions *parts,
			const struct dimg_probe *fs, size_t *chosen)
{
	size_t i, n = 0;

	for (i = 0; i < parts->n; i++) {
		if (!dimg_partition_matches(arg, &parts->v[i], &fs[i]))
			continue;
		*chosen = i;
		n++;
	}
	return n;
}

static int fail_none(const char *path, const char *arg,
		     const struct dimg_partitions *parts,
		     const struct dimg_probe *fs)
{
	size_t i;

	dimg_say(path, "no partition has the number, name, label or UUID \"%s\"; %s",
		 arg, parts->n ? "there are:" :
		 "the partition table lists none inside of the image");
	for (i = 0; i < parts->n; i++)
		print_partition(&parts->v[i], &fs[i]);
	fputs(parts->n ?
	      "Give --part one of these numbers, names, labels or UUIDs.\n" :
	      "Was the image cut off? \"fdisk -l FILE\" shows the table.\n",
	      stderr);
	return DIMG_EXIT_NOT_FOUND;
}

static int fail_several(const char *path, const char *arg,
			const struct dimg_partitions *parts,
			const struct dimg_probe *fs)
{
	size_t i;

	dimg_say(path, "\"%s\" means more than one partition:", arg);
	for (i = 0; i < parts->n; i++)
		if (dimg_partition_matches(arg, &parts->v[i], &fs[i]))
			print_partition(&parts->v[i], &fs[i]);
	fputs("Give --part the number of one of them.\n", stderr);
	return DIMG_EXIT_REFUSED;
}

/* Can the match be attached? An extended partition only holds others. */
static int check_chosen(const struct dimg_image *img, const char *arg,
			const struct dimg_partition *part)
{
	if (part->container) {
		dimg_say(img->path,
			 "partition %u is an extended partition: it only holds the logical ones, 5 and up\n"
			 "Give --part the number of a logical partition.", part->nr);
		return DIMG_EXIT_REFUSED;
	}
	if (part->start >= img->size || part->size > img->size - part->start) {
		dimg_say(img->path,
			 "partition %u (\"%s\") ends %llu bytes behind the end of the image\n"
			 "Is the image a part of a larger one? Make it as large as it was: \"truncate -s\".",
			 part->nr, arg,
			 (unsigned long long)(part->start + part->size - img->size));
		return DIMG_EXIT_REFUSED;
	}
	return 0;
}

/* Which of @parts? The file systems are looked at in any case, for the messages. */
static int choose(const struct dimg_image *img, const char *arg,
		  const struct dimg_partitions *parts, size_t *chosen)
{
	struct dimg_probe *fs = probe_all(img, parts);
	struct dimg_error e;
	size_t n;
	int ret;

	dimg_error_set(&e, ENOMEM, "%s", "");
	if (!fs)
		return dimg_fail(img->path, &e);
	n = match_all(arg, parts, fs, chosen);
	if (!n)
		ret = fail_none(img->path, arg, parts, fs);
	else if (n > 1)
		ret = fail_several(img->path, arg, parts, fs);
	else
		ret = check_chosen(img, arg, &parts->v[*chosen]);
	free_all(fs, parts);
	return ret;
}

/**
 * dimg_partition_find - the window of one partition of an image
 * @sector_size: see dimg_probe_partitions()
 * @arg: number, GPT name, file-system label, PARTUUID or file-system UUID
 * @offset: set to the first byte
 * @size: set to its bytes
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_partition_find(const struct dimg_image *img, uint32_t sector_size,
			const char *arg, uint64_t *offset, uint64_t *size)
{
	struct dimg_partitions parts;
	struct dimg_error e;
	size_t chosen = 0;
	int ret;

	ret = dimg_probe_partitions(img->fd, sector_size, &parts);
	if (ret == -ENODATA) {
		dimg_say(img->path, "has no partition table\n"
			 "Attach it without --part; \"blkid -p FILE\" tells what is in it.");
		return DIMG_EXIT_NOT_FOUND;
	}
	if (ret) {
		dimg_error_set(&e, -ret, "the partition table cannot be read");
		return dimg_fail(img->path, &e);
	}
	ret = choose(img, arg, &parts, &chosen);
	if (!ret) {
		*offset = parts.v[chosen].start;
		*size = parts.v[chosen].size;
	}
	dimg_partitions_free(&parts);
	return ret;
}
