// SPDX-License-Identifier: GPL-2.0
/*
 * unmountable.c - owns the answer to "wrong fs type": what is in the image
 * instead of a file system, or why the kernel does not take the one that is,
 * and the command that would help.
 *
 * What is in it is libblkid's word (probe.c), never a guess from an errno.
 */
#include <errno.h>
#include <libmount.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "dimgsetup.h"

/* Contents that are not mounted but used in another way; %s is the image. */
static const struct kind {
	const char *type;
	const char *what;
	const char *use;
} kinds[] = {
	{ "crypto_LUKS", "is encrypted (LUKS)",
	  "Open it first: \"dimgsetup attach %s\", \"cryptsetup open /dev/dimgblkN NAME\", \"mount /dev/mapper/NAME DIR\"."
	},
	{ "BitLocker", "is encrypted (BitLocker)",
	  "Open it first: \"dimgsetup attach %s\", \"cryptsetup open --type bitlk /dev/dimgblkN NAME\", \"mount /dev/mapper/NAME DIR\"."
	},
	{ "swap", "holds swap space",
	  "Use it as such: \"dimgsetup attach %s\", \"swapon /dev/dimgblkN\"."
	},
	{ "LVM2_member", "holds a physical volume of LVM",
	  "Mount a logical volume: \"dimgsetup attach %s\", \"vgchange -ay\", \"lvs\" lists them, \"mount /dev/GROUP/VOLUME DIR\"."
	},
	{ "linux_raid_member", "is a member of a RAID",
	  "Assemble it: \"dimgsetup attach %s\" for each member, \"mdadm --assemble --scan\", \"mount /dev/mdN DIR\"."
	},
	{ "zfs_member", "is a member of a ZFS pool",
	  "Import the pool: \"dimgsetup attach %s\", \"zpool import\"."
	},
};

/* Who checks what; without an entry it is fsck.TYPE. */
static const struct checker {
	const char *type;
	const char *command;
} checkers[] = {
	{ "ext2", "e2fsck -f" },
	{ "ext3", "e2fsck -f" },
	{ "ext4", "e2fsck -f" },
	{ "xfs", "xfs_repair" },
	{ "btrfs", "btrfs check" },
	{ "vfat", "fsck.vfat -a" },
	{ "ntfs", "ntfsfix" },
};

/* How the caller writes an option of attach. */
static const char *part_option(const struct dimg_mount *m)
{
	return m->helper ? "-o dimg.part=" : "--part ";
}

/* The path goes into sentences: escaped, as all that others chose. */
static void put_command(const char *fmt, const char *image)
{
	const char *s = strstr(fmt, "%s");

	fprintf(stderr, "%.*s", (int)(s - fmt), fmt);
	dimg_fputs_escaped(image, stderr);
	fprintf(stderr, "%s\n", s + 2);
}

static int say_table(const struct dimg_mount *m,
		     const struct dimg_mount_source *src)
{
	struct dimg_image img = { .fd = src->fd, .path = m->source };
	uint32_t bytes = m->attach.gpt_sector_size;
	bool gpt = !strcmp(src->found.pttype, "gpt");
	struct dimg_partitions parts;
	int ret;

	if (!bytes && (dimg_probe_sector_size(src->fd, src->offset, &bytes) ||
		       !bytes))
		bytes = DIMG_SECTOR_SIZE;
	ret = src->offset ? -ENODATA :
		dimg_probe_partitions(src->fd, bytes, &parts);
	if (ret)
		dimg_say(m->source, "wrong fs type: it holds no file system, but a partition table (%s)",
			 gpt ? "GPT" : src->found.pttype);
	else
		dimg_say(m->source, "wrong fs type: it holds no file system, but a partition table (%s) with %zu partition%s%s",
			 gpt ? "GPT" : src->found.pttype, parts.n,
			 parts.n == 1 ? "" : "s", parts.n ? ":" : "");
	if (ret)
		return DIMG_EXIT_REFUSED;
	if (parts.n) {
		dimg_partition_list(&img, &parts);
		fprintf(stderr, "Say which one, by its number, name, label or UUID: %s%u\n",
			part_option(m), parts.v[0].nr);
	} else {
		fputs("Make partitions first: \"dimgsetup attach -P FILE\", \"fdisk /dev/dimgblkN\".\n",
		      stderr);
	}
	dimg_partitions_free(&parts);
	return DIMG_EXIT_REFUSED;
}

static int say_nothing(const struct dimg_mount *m,
		       const struct dimg_mount_source *src)
{
	if (m->attach.part || src->offset) {
		dimg_say(m->source, "wrong fs type: there is no file system in this part of it\n"
			 "Make one: attach it with the same options, then \"mkfs.ext4 /dev/dimgblkN\". If there should be one, look for it with \"blkid -p\", \"fdisk -l\".");
		return DIMG_EXIT_REFUSED;
	}
	dimg_say(m->source, "wrong fs type: it holds no file system, nor anything else that is known");
	put_command("Make one: \"mkfs.ext4 %s\". If there should be one, do not: then its first bytes are damaged, or it begins elsewhere (--offset).",
		    m->source);
	return DIMG_EXIT_REFUSED;
}

/**
 * dimg_unmountable_contents - say what is in an image without a file system
 *
 * Return: DIMG_EXIT_REFUSED.
 */
int dimg_unmountable_contents(const struct dimg_mount *m,
			      const struct dimg_mount_source *src)
{
	const struct dimg_probe *p = &src->found;
	size_t i;

	if (p->ambivalent) {
		dimg_say(m->source, "wrong fs type: it has the signatures of more than one thing");
		put_command("\"wipefs %s\" lists them; -t TYPE mounts one of them, \"wipefs -o OFFSET\" removes what is left over.",
			    m->source);
		return DIMG_EXIT_REFUSED;
	}
	for (i = 0; p->type && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(p->type, kinds[i].type)) {
			dimg_say(m->source, "wrong fs type: it %s", kinds[i].what);
			put_command(kinds[i].use, m->source);
			return DIMG_EXIT_REFUSED;
		}
	if (p->type) {
		dimg_say(m->source, "wrong fs type: it holds no file system, but %s%s%s\n"
			 "Attach it and use it with the programs that it is for.",
			 p->type, p->usage ? ", of the kind " : "",
			 p->usage ? p->usage : "");
		return DIMG_EXIT_REFUSED;
	}
	return p->pttype ? say_table(m, src) : say_nothing(m, src);
}

static int fail_busy(const struct dimg_mount *m,
		     const struct dimg_mount_source *src)
{
	struct dimg_holders h;
	struct dimg_error e;
	int ret;

	dimg_error_set(&e, EBUSY, "cannot be mounted on %s", m->dir);
	dimg_holders_find(src->major, src->minor, &h);
	ret = dimg_fail_busy(m->source, &e, &h);
	dimg_holders_free(&h);
	return ret;
}

/* The kernel does not know the file system. */
static int fail_unknown(const struct dimg_mount *m,
			const struct dimg_mount_source *src)
{
	dimg_say(m->source, "wrong fs type: it holds %s, which this kernel does not know: %s",
		 src->type, strerror(ENODEV));
	if (!strcmp(src->type, "ntfs"))
		fputs("Try -t ntfs3, or on Debian \"apt install ntfs-3g\".\n", stderr);
	else
		fprintf(stderr, "\"modprobe %s\" loads its module if there is one: on Debian in the package linux-image-$(uname -r), elsewhere perhaps in one for extra modules.\n",
			src->type);
	return DIMG_EXIT_REFUSED;
}

/* The check of the file system, on what it is to be run on. */
static void put_check(const struct dimg_mount *m,
		      const struct dimg_mount_source *src)
{
	const char *command = NULL;
	size_t i;

	for (i = 0; i < sizeof(checkers) / sizeof(*checkers); i++)
		if (!strcmp(checkers[i].type, src->type))
			command = checkers[i].command;
	fputs("Check it: \"", stderr);
	if (command)
		fputs(command, stderr);
	else
		fprintf(stderr, "fsck.%s", src->type);
	fputc(' ', stderr);
	if (m->attach.img.fd < 0)
		fputs(src->node, stderr);
	else if (src->offset || m->attach.req.size_limit)
		fputs("/dev/dimgblkN", stderr);
	else
		dimg_fputs_escaped(m->source, stderr);
	fprintf(stderr, "\"%s.\n",
		m->attach.img.fd >= 0 && (src->offset || m->attach.req.size_limit) ?
		", after an attach with the same options" : "");
}

/**
 * dimg_unmountable_damaged - say that the superblock does not have its checksum
 *
 * Return: DIMG_EXIT_KERNEL.
 */
int dimg_unmountable_damaged(const struct dimg_mount *m,
			     const struct dimg_mount_source *src)
{
	dimg_say(m->source, "its file system (%s) is damaged: the checksum of the superblock is wrong",
		 src->type);
	put_check(m, src);
	return DIMG_EXIT_KERNEL;
}

/* Bad options, a bad superblock or bad blocks: the kernel's word tells them apart. */
static int fail_bad(const struct dimg_mount *m,
		    const struct dimg_mount_source *src, int err,
		    const char *text)
{
	const char *found = src->found.type;

	dimg_say(m->source, "%s is refused by the kernel: %s%s%s", src->type,
		 *text ? text : strerror(err), *text ? ": " : "",
		 *text ? strerror(err) : "");
	if (m->type && (!found || strcmp(found, m->type)))
		fprintf(stderr, "It holds %s: leave -t %s out.\n",
			found ? found : "nothing that is known", m->type);
	else
		put_check(m, src);
	fputs("\"dmesg\" says what the kernel found.\n", stderr);
	if (err == EINVAL && !strcmp(src->type, "xfs"))
		fputs("If a copy of it is mounted, they have one UUID: -o nouuid.\n", stderr);
	if (err == EINVAL && src->block_size > DIMG_SECTOR_SIZE)
		fprintf(stderr, "Blocks of the file system may be smaller than the logical block size, %u: try -b 512.\n",
			src->block_size);
	if (err == EINVAL && m->opts.rest)
		fprintf(stderr, "Or one of these options is not for %s: %s\n",
			src->type, m->opts.rest);
	return err == EINVAL ? DIMG_EXIT_REFUSED : DIMG_EXIT_KERNEL;
}

static int fail_needs_write(const struct dimg_mount *m,
			    const struct dimg_mount_source *src)
{
	dimg_say(m->source, "was not unmounted cleanly, and its journal cannot be replayed: the device is read-only: %s",
		 strerror(EROFS));
	fprintf(stderr, "Mount it writable once; or as it is, perhaps inconsistent, with -o %s.\n",
		!strncmp(src->type, "ext", 3) ? "noload" :
		!strcmp(src->type, "btrfs") ? "rescue=nologreplay" : "norecovery");
	return DIMG_EXIT_REFUSED;
}

/**
 * dimg_unmountable_kernel - say why the mount failed although there is a file
 *	system, or one was named
 * @err: errno; 0 if libmount has none
 * @text: libmount's sentence; may be empty
 *
 * Return: an exit code.
 */
int dimg_unmountable_kernel(const struct dimg_mount *m,
			    const struct dimg_mount_source *src, int err,
			    const char *text)
{
	struct dimg_error e;

	switch (err) {
	case EBUSY:
		return fail_busy(m, src);
	case ENODEV:
		return fail_unknown(m, src);
	case EROFS:
		return fail_needs_write(m, src);
	case EINVAL:
	case EUCLEAN:
	case EBADMSG:
	case EIO:
	case EFBIG:
	case EOVERFLOW:
	case ENXIO:
		return fail_bad(m, src, err, text);
	default:
		dimg_error_set(&e, err ? err : EIO, "cannot be mounted on %s%s%s",
			       m->dir, *text ? ": " : "", text);
		return dimg_fail(m->source, &e);
	}
}
