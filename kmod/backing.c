// SPDX-License-Identifier: GPL-2.0
/*
 * Backing: everything that touches struct file.
 *
 * Owns which files may back a device, what they can do, and the calls into
 * their file system.  Knows neither requests nor devices.  Calling ->read_iter
 * and ->write_iter skips the checks of vfs_read() and vfs_write(): access mode,
 * existence of the method and freeze protection are done here instead;
 * rw_verify_area() and fsnotify are left out on purpose, as in loop: the window
 * was checked, and a security module saw the file when it was opened.
 */

#include <linux/dcache.h>
#include <linux/errseq.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/pagemap.h>
#include <linux/stat.h>
#include <linux/statfs.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/uio.h>

#include "dimgblk.h"

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

/* Fill in what a regular file can do.  Return: 0 or errno of its file system. */
static int backing_probe_file(struct dimgblk_backing *backing)
{
	struct file *file = backing->file;
	struct super_block *sb = file_inode(file)->i_sb;
	struct kstatfs statfs;
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
	/* btrfs checksums and does not say so. */
	backing->stable_writes =
		mapping_stable_writes(backing->mapping) ||
		backing->mapping->host->i_sb->s_magic == BTRFS_SUPER_MAGIC;
	backing->rotational = sb->s_bdev && bdev_rot(sb->s_bdev);
	backing->block_size = SECTOR_SIZE;
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
 * not open or not readable; -EINVAL for a file of the wrong kind; -EPERM for an
 * immutable one; -ETXTBSY for swap space.
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

/**
 * dimgblk_backing_disk() - the disk that the backing file lies on
 * @backing: an open backing file, which keeps the disk alive
 *
 * Return: the disk, or NULL when there is none (network, memory) or the file
 * system does not tell.
 */
struct gendisk *dimgblk_backing_disk(const struct dimgblk_backing *backing)
{
	struct inode *inode = file_inode(backing->file);

	if (backing->is_bdev)
		return I_BDEV(backing->file->f_mapping->host)->bd_disk;
	return inode->i_sb->s_bdev ? inode->i_sb->s_bdev->bd_disk : NULL;
}

/**
 * dimgblk_backing_cached_size() - how large is the backing file, as known here?
 * @file: the backing file
 *
 * Context: any; does not ask the file system, see dimgblk_backing_size().
 *
 * Return: bytes.
 */
u64 dimgblk_backing_cached_size(struct file *file)
{
	struct inode *inode = file_inode(file);

	/* The inode of a node in /dev has no size, that of the disk has. */
	if (S_ISBLK(inode->i_mode))
		inode = file->f_mapping->host;
	return i_size_read(inode);
}

/**
 * dimgblk_backing_size() - how large is the backing file now?
 * @file: the backing file
 * @size: set to its size, bytes
 *
 * Asks the file system: on a network file system the cached inode may lie.
 *
 * Context: process context; may sleep as long as the file system likes.
 *
 * Return: 0, or the errno of the file system.
 */
int dimgblk_backing_size(struct file *file, u64 *size)
{
	struct kstat stat;
	int err;

	if (S_ISBLK(file_inode(file)->i_mode)) {
		*size = i_size_read(file->f_mapping->host);
		return 0;
	}
	err = vfs_getattr(&file->f_path, &stat, STATX_SIZE, 0);
	if (err)
		return err;
	*size = stat.size;
	return 0;
}

/**
 * dimgblk_backing_no_direct() - what stands against direct I/O?
 * @backing: an open backing file
 * @geometry: window of the device
 * @automatic: nobody insists on direct I/O, so what is merely unwise counts too
 *
 * Return: the reason as a string constant, or NULL when nothing does.
 */
const char *dimgblk_backing_no_direct(const struct dimgblk_backing *backing,
				      const struct dimgblk_geometry *geometry,
				      bool automatic)
{
	u32 align = backing->dio_offset_align;

	if (!align)
		return "the file system of the backing file has no direct I/O";
	if (geometry->logical_block_size < align)
		return "direct I/O on the backing file needs larger logical blocks";
	if (geometry->offset & (align - 1))
		return "the offset is not aligned for direct I/O";
	if (backing->dio_mem_align > SECTOR_SIZE)
		return "direct I/O on the backing file needs larger alignment of memory";
	/* A page changed in flight would fail its checksum, seen on btrfs. */
	if (automatic && backing->stable_writes)
		return "the file system of the backing file checksums its data";
	return NULL;
}

/**
 * dimgblk_backing_rw() - read or write the backing file
 * @backing: the backing file
 * @iocb: position, flags and completion; ->ki_complete of NULL is synchronous
 * @iter: the data and the direction
 *
 * Context: process context, NOIO; may sleep, also while the file system is
 * frozen.
 *
 * Return: number of bytes, or errno; -EIOCBQUEUED when ->ki_complete is or was
 * called, which for a write must call dimgblk_backing_rw_done().
 */
ssize_t dimgblk_backing_rw(const struct dimgblk_backing *backing,
			   struct kiocb *iocb, struct iov_iter *iter)
{
	const struct file_operations *fops = backing->file->f_op;
	ssize_t ret;

	if (iov_iter_rw(iter) == READ)
		return fops->read_iter(iocb, iter);
	/*
	 * What file_start_write() is to write(2): nothing may reach a frozen
	 * file system.  The kiocb form may end in another task.
	 */
	if (!backing->is_bdev)
		kiocb_start_write(iocb);
	ret = fops->write_iter(iocb, iter);
	if (ret != -EIOCBQUEUED)
		dimgblk_backing_rw_done(backing, iocb);
	return ret;
}

/**
 * dimgblk_backing_rw_done() - end what dimgblk_backing_rw() began for a write
 * @backing: the backing file
 * @iocb: the kiocb of the write
 *
 * Context: any.
 */
void dimgblk_backing_rw_done(const struct dimgblk_backing *backing,
			     struct kiocb *iocb)
{
	if (!backing->is_bdev)
		kiocb_end_write(iocb);
}

/**
 * dimgblk_backing_sync() - make what was written durable
 * @backing: the backing file, writable
 * @file: a reference on it that the caller holds
 * @datasync: time stamps need not be durable; sizes and extents are
 *
 * A page that could not be written back is told once per open file, and a write
 * with FUA may be the one who is told.  Whoever flushes has to know, too, for his
 * writes may have been in that page; hence a second mark.  Each error is told to
 * one flush.
 *
 * Context: process context; may sleep.
 *
 * Return: 0 or the errno of the file system.
 */
int dimgblk_backing_sync(struct dimgblk_backing *backing, struct file *file,
			 bool datasync)
{
	int err = vfs_fsync(file, datasync);
	int wb_err;

	/* Of two flushes at a time both must not move the mark. */
	spin_lock(&backing->wb_lock);
	wb_err = errseq_check_and_advance(&backing->mapping->wb_err,
					  &backing->wb_err);
	spin_unlock(&backing->wb_lock);
	return err ? err : wb_err;
}

/**
 * dimgblk_backing_frozen() - would a write wait for the file system to thaw?
 * @backing: the backing file
 *
 * Context: any.  The answer may be old when it arrives.
 *
 * Return: true while a freeze is under way or in effect.
 */
bool dimgblk_backing_frozen(const struct dimgblk_backing *backing)
{
	struct super_block *sb = file_inode(backing->file)->i_sb;

	return !backing->is_bdev &&
	       READ_ONCE(sb->s_writers.frozen) != SB_UNFROZEN;
}

/**
 * dimgblk_backing_covers() - does the file reach so far now?
 * @backing: the backing file
 * @end: byte behind the last one of interest
 *
 * Context: any.
 *
 * Return: true when it does; always for a block device, which has a fixed size.
 */
bool dimgblk_backing_covers(const struct dimgblk_backing *backing, loff_t end)
{
	return backing->is_bdev ||
	       end <= i_size_read(file_inode(backing->file));
}

/**
 * dimgblk_backing_punch_hole() - give bytes back; they read as zero afterwards
 * @backing: the backing file, writable
 * @pos: first byte
 * @len: length, bytes
 *
 * Context: process context, NOIO; may sleep.
 *
 * Return: 0, -EOPNOTSUPP, or another errno of the file system.
 */
int dimgblk_backing_punch_hole(const struct dimgblk_backing *backing,
			       loff_t pos, loff_t len)
{
	return vfs_fallocate(backing->file,
			     FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			     pos, len);
}

/**
 * dimgblk_backing_zero_range() - zero bytes and keep the blocks below them
 * @backing: the backing file, writable
 * @pos: first byte
 * @len: length, bytes
 *
 * Context: process context, NOIO; may sleep.
 *
 * Return: 0, -EOPNOTSUPP, or another errno of the file system.
 */
int dimgblk_backing_zero_range(const struct dimgblk_backing *backing,
			       loff_t pos, loff_t len)
{
	return vfs_fallocate(backing->file,
			     FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
			     pos, len);
}
