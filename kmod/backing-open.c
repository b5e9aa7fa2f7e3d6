// SPDX-License-Identifier: GPL-2.0
/*
 * Opening a backing file.
 *
 * Owns which files may back a device, the reason of a refusal, and what is found out
 * of a file once, at attach: its identity, alignments and abilities.
 */

#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/stat.h>
#include <linux/statfs.h>

#include "dimgblk.h"

/* fs/configfs/mount.c keeps it to itself. */
#define BACKING_CONFIGFS_MAGIC	0x62656570

/*
 * Files of these super blocks answer reads and writes with what code makes of
 * them, yet look like regular files with a size and a page cache.
 */
static bool backing_is_pseudo(const struct super_block *sb)
{
	switch (sb->s_magic) {
	case PROC_SUPER_MAGIC:
	case SYSFS_MAGIC:
	case DEBUGFS_MAGIC:
	case TRACEFS_MAGIC:
	case SECURITYFS_MAGIC:
	case SELINUX_MAGIC:
	case CGROUP_SUPER_MAGIC:
	case CGROUP2_SUPER_MAGIC:
	case RDTGROUP_SUPER_MAGIC:
	case BPF_FS_MAGIC:
	case EFIVARFS_MAGIC:
	case BACKING_CONFIGFS_MAGIC:
		return true;
	}
	return false;
}

/*
 * Has the file pages that come from or go somewhere, or direct I/O?  On tmpfs of
 * Linux 6.1 only writing tells.
 */
static bool backing_has_data(const struct file *file)
{
	const struct address_space_operations *aops = file->f_mapping->a_ops;

	return aops->read_folio || aops->write_begin ||
	       file->f_mode & FMODE_CAN_ODIRECT;
}

/* Is this a file that can back any device at all? */
static int backing_check_kind(struct file *file, struct netlink_ext_ack *extack)
{
	umode_t mode = file_inode(file)->i_mode;

	if (S_ISDIR(mode)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file is a directory: give a disk image or a block device");
		return -EINVAL;
	}
	if (!S_ISREG(mode) && !S_ISBLK(mode)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file is neither a regular file nor a block device");
		return -EINVAL;
	}
	if (S_ISREG(mode) && backing_is_pseudo(file_inode(file)->i_sb)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file belongs to a file system that stores no data");
		return -EINVAL;
	}
	if (!file->f_op->read_iter || !backing_has_data(file)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file cannot be read at a position");
		return -EINVAL;
	}
	return 0;
}

/* May this file be read, and written unless @read_only, for a long time? */
static int backing_check_access(struct file *file, bool read_only,
				struct netlink_ext_ack *extack)
{
	struct inode *inode = file->f_mapping->host;

	if (!(file->f_mode & FMODE_READ)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file was not opened for reading");
		return -EBADF;
	}
	/* A write at the end of an append-only file is a write elsewhere. */
	if (file->f_flags & O_APPEND) {
		NL_SET_ERR_MSG(extack,
			       "the backing file was opened with O_APPEND");
		return -EINVAL;
	}
	if (IS_SWAPFILE(inode)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file is active swap space: swapoff it first");
		return -ETXTBSY;
	}
	/*
	 * Only system calls ask a service to fill in what it has not yet, by
	 * fanotify's FAN_PRE_ACCESS; until then the file reads as zeros.
	 */
	if (FMODE_FSNOTIFY_HSM(file->f_mode)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file is filled by a service when it is read (fanotify): take a copy");
		return -EINVAL;
	}
	if (read_only)
		return 0;
	if (!file->f_op->write_iter) {
		NL_SET_ERR_MSG(extack,
			       "the backing file cannot be written at a position: attach it read-only");
		return -EINVAL;
	}
	if (S_ISBLK(file_inode(file)->i_mode) &&
	    bdev_read_only(I_BDEV(inode))) {
		NL_SET_ERR_MSG(extack,
			       "the backing device is write-protected: attach it read-only");
		return -EACCES;
	}
	if (IS_IMMUTABLE(inode) || IS_APPEND(inode)) {
		NL_SET_ERR_MSG(extack,
			       "the backing file is immutable or append-only: attach it read-only");
		return -EPERM;
	}
	return 0;
}

/* Fill in what a block device can do. */
static void backing_probe_bdev(struct dimgblk_backing *backing)
{
	struct block_device *bdev = I_BDEV(backing->file->f_mapping->host);

	backing->is_bdev = true;
	backing->mapping = backing->file->f_mapping;
	backing->identity = bdev->bd_disk;
	backing->start = (u64)bdev->bd_start_sect << SECTOR_SHIFT;
	backing->dev = bdev->bd_dev;
	backing->stat_dev = bdev->bd_dev;
	backing->stat_ino = file_inode(backing->file)->i_ino;
	backing->stable_writes = bdev_stable_writes(bdev);
	backing->fua = true;
	backing->rotational = bdev_rot(bdev);
	backing->block_size = bdev_logical_block_size(bdev);
	backing->dio_offset_align = bdev_logical_block_size(bdev);
	backing->dio_mem_align = bdev_dma_alignment(bdev) + 1;
	/*
	 * Punching a hole into a block device writes zeroes that may unmap; its
	 * own discard would leave old data readable.
	 */
	if (backing->file->f_op->fallocate && bdev_write_zeroes_sectors(bdev))
		backing->discard_granularity =
			max(bdev_discard_granularity(bdev),
			    bdev_physical_block_size(bdev));
}

/*
 * Alignment that direct I/O on a regular file needs.  Few file systems tell by
 * STATX_DIOALIGN in all kernels; for the others their block size is a bound
 * that none of them exceeds, and that of the disk below is a part of it.
 */
static void backing_probe_dio(struct dimgblk_backing *backing,
			      const struct kstat *stat)
{
	struct file *file = backing->file;
	struct super_block *sb = file_inode(file)->i_sb;

	if (!(file->f_mode & FMODE_CAN_ODIRECT))
		return;
	if (stat->result_mask & STATX_DIOALIGN) {
		backing->dio_offset_align = stat->dio_offset_align;
		backing->dio_mem_align = stat->dio_mem_align;
		return;
	}
	backing->dio_offset_align = sb->s_blocksize;
	backing->dio_mem_align = sb->s_bdev ?
		bdev_dma_alignment(sb->s_bdev) + 1 : SECTOR_SIZE;
}

/*
 * Does the file system make a write with IOCB_DSYNC durable before it ends?  FUSE, 9p
 * and SMB do not always, nor ocfs2, which asks the file for O_DSYNC in place of the
 * kiocb (read in 6.1, 6.12 and 7.3).  So only those whose code does.
 */
static bool backing_has_fua(const struct super_block *sb)
{
	switch (sb->s_magic) {
	case EXT4_SUPER_MAGIC:	/* ext2 and ext3 as well */
	case XFS_SUPER_MAGIC:
	case BTRFS_SUPER_MAGIC:
	case F2FS_SUPER_MAGIC:
	case TMPFS_MAGIC:
		return true;
	default:
		return false;
	}
}

/* Fill in what a regular file can do.  Return: 0 or errno of its file system. */
static int backing_probe_file(struct dimgblk_backing *backing)
{
	struct file *file = backing->file;
	struct super_block *sb = file_inode(file)->i_sb;
	struct kstatfs statfs;
	bool stacked, sync_only;
	struct kstat stat;
	int err;

	err = vfs_getattr(&file->f_path, &stat, STATX_INO | STATX_DIOALIGN, 0);
	if (err)
		return err;
	backing->stat_dev = stat.dev;
	backing->stat_ino = stat.ino;

	/* On overlayfs the file of the layer below: two names, one identity. */
	backing->identity = d_real_inode(file->f_path.dentry);
	backing->inode = file_inode(file);
	backing->mapping = d_real_inode(file->f_path.dentry)->i_mapping;
	backing->dev = sb->s_dev;
	stacked = backing->mapping != file_inode(file)->i_mapping;
	sync_only = stacked && COMPAT_OVERLAY_AIO_READ_LEAKS &&
		    !(file->f_mode & FMODE_WRITE);
	backing->async_only = stacked && !sync_only;
	/* btrfs checksums and does not say so. */
	backing->stable_writes =
		mapping_stable_writes(backing->mapping) ||
		backing->mapping->host->i_sb->s_magic == BTRFS_SUPER_MAGIC;
	backing->fua = backing_has_fua(backing->mapping->host->i_sb);
	backing->rotational = sb->s_bdev && bdev_rot(sb->s_bdev);
	backing->block_size = SECTOR_SIZE;
	if (!sync_only)
		backing_probe_dio(backing, &stat);
	if (file->f_op->fallocate && !vfs_statfs(&file->f_path, &statfs))
		backing->discard_granularity =
			is_power_of_2(statfs.f_bsize) ? statfs.f_bsize
						      : PAGE_SIZE;
	return 0;
}

/**
 * dimgblk_backing_open() - take a file as backing file and look at it
 * @backing: zeroed, filled in on success
 * @fd: file descriptor of current
 * @read_only: the device shall be read-only
 * @extack: gets the reason of a refusal
 *
 * Context: process context of the task that sent the request, without locks;
 * calls into the file system.
 *
 * Return: 0, with a reference on the file held; -EBADF for a descriptor that is
 * not open or not readable; -EINVAL for a file of the wrong kind, or one that is
 * filled when it is read; -EPERM for an immutable one; -ETXTBSY for swap space.
 */
int dimgblk_backing_open(struct dimgblk_backing *backing, int fd,
			 bool read_only, struct netlink_ext_ack *extack)
{
	struct file *file = fget(fd);	/* refuses O_PATH */
	int err;

	if (!file) {
		NL_SET_ERR_MSG(extack,
			       "the backing file descriptor is not open, or opened with O_PATH");
		return -EBADF;
	}
	read_only |= !(file->f_mode & FMODE_WRITE);
	err = backing_check_kind(file, extack);
	if (err)
		goto err_put_file;
	err = backing_check_access(file, read_only, extack);
	if (err)
		goto err_put_file;

	backing->file = file;
	backing->read_only = read_only;
	if (S_ISBLK(file_inode(file)->i_mode))
		backing_probe_bdev(backing);
	else
		err = backing_probe_file(backing);
	if (err) {
		NL_SET_ERR_MSG(extack,
			       "the file system of the backing file does not answer as it should");
		goto err_put_file;
	}
	spin_lock_init(&backing->wb_lock);
	backing->wb_err = filemap_sample_wb_err(backing->mapping);
	return 0;

err_put_file:
	fput(file);
	return err;
}
