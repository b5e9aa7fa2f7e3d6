// SPDX-License-Identifier: GPL-2.0
/*
 * Backing: the calls into the file system of the backing file.
 *
 * Knows neither requests nor devices.  Calling ->read_iter and ->write_iter skips the
 * checks of vfs_read() and vfs_write(): freeze protection is taken here instead, access
 * mode and methods were looked at by backing-open.c;
 * rw_verify_area() and fsnotify are left out on purpose, as in loop: the window
 * was checked, and a security module saw the file when it was opened.
 */

#include <linux/fs.h>
#include <linux/errseq.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "dimgblk.h"

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
 * dimgblk_backing_interrupted() - did a signal cut an operation short?
 * @err: its result
 *
 * A file system may also answer -EINTR of itself, to a task without signals.
 *
 * Context: that of the task whose operation it was.
 *
 * Return: true if so, and the operation may be tried again.
 */
bool dimgblk_backing_interrupted(int err)
{
	return (err == -EINTR || err == -ERESTARTSYS) && signal_pending(current);
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
 * Return: 0 or the errno of the file system; see dimgblk_backing_interrupted().
 */
int dimgblk_backing_sync(struct dimgblk_backing *backing, struct file *file,
			 bool datasync)
{
	int err = vfs_fsync(file, datasync);
	int wb_err;

	/* It says nothing of what was written; the next one shall. */
	if (dimgblk_backing_interrupted(err))
		return err;
	/* Of two flushes at a time both must not move the mark. */
	spin_lock(&backing->wb_lock);
	wb_err = errseq_check_and_advance(&backing->mapping->wb_err,
					  &backing->wb_err);
	spin_unlock(&backing->wb_lock);
	return err ? err : wb_err;
}

/**
 * dimgblk_backing_drop_pages() - forget what the page cache has of the file
 * @backing: the backing file, used with direct I/O up to now
 * @file: a reference on it that the caller holds
 *
 * A direct write to a block device, and on some file systems, drops the pages that it
 * meets before it begins, not when it has ended: who read them in between, as udev
 * does, has brought back the old bytes.  All of the file, as a large folio that begins
 * or ends outside of a range is left alone.  For a disk also those that a CPU has not
 * put on a list yet.  What is dirty, mapped or locked stays.
 *
 * Context: process context; may sleep, but waits for no I/O.
 */
void dimgblk_backing_drop_pages(const struct dimgblk_backing *backing,
				struct file *file)
{
	if (backing->is_bdev)
		invalidate_bdev(I_BDEV(file->f_mapping->host));
	else
		invalidate_mapping_pages(backing->mapping, 0, -1);
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
	/* On overlayfs the file systems of both layers may be. */
	struct super_block *sb = file_inode(backing->file)->i_sb;
	struct super_block *lower = backing->mapping->host->i_sb;

	return !backing->is_bdev &&
	       (READ_ONCE(sb->s_writers.frozen) != SB_UNFROZEN ||
		READ_ONCE(lower->s_writers.frozen) != SB_UNFROZEN);
}

/**
 * dimgblk_backing_covers() - does the file reach so far now?
 * @backing: the backing file
 * @end: byte behind the last one of interest
 *
 * Context: any.
 *
 * Return: true when it does.  A block device may shrink, too: device mapper's.
 */
bool dimgblk_backing_covers(const struct dimgblk_backing *backing, loff_t end)
{
	return end <= dimgblk_backing_cached_size(backing->file);
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
