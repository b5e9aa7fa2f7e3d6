// SPDX-License-Identifier: GPL-2.0
/*
 * Registry: which devices exist.
 *
 * Owns indexes, names and the ranges of backing files in use, and with them the
 * rules that compare one device with the others.  Everything is under one mutex,
 * which is never held over a call into a file system: a hung backing file must
 * not keep an administrator from listing and detaching the others.
 */

#include <linux/file.h>
#include <linux/fs.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "dimgblk.h"

static DEFINE_MUTEX(dimgblk_registry_mutex);
static DEFINE_XARRAY_ALLOC(dimgblk_registry_xa);
static unsigned int dimgblk_registry_count;
/* Changes with the set of live devices; a dump that sees two is inconsistent. */
static unsigned int dimgblk_registry_seq = 1;

/**
 * struct dimgblk_range - bytes of a backing file that a device uses
 * @start: first byte
 * @size: length, bytes
 */
struct dimgblk_range {
	u64 start;
	u64 size;
};

/*
 * The range of @dev, @size bytes long, in units of @unit bytes of its own file: a
 * partition's pages begin where the partition does.
 */
static struct dimgblk_range
dimgblk_registry_range(const struct dimgblk_device *dev, u64 size, u32 unit)
{
	u64 start = round_down(dev->geometry.offset, unit);
	u64 end = round_up(dev->geometry.offset + size, unit);

	return (struct dimgblk_range) {
		.start = dev->backing.start + start, .size = end - start,
	};
}

/*
 * Do @dev, if it is @direct, and @other see each write of the other at once?  A disk and
 * its partitions have a page cache each.
 */
static bool dimgblk_registry_same_cache(const struct dimgblk_device *dev,
					bool direct,
					const struct dimgblk_device *other)
{
	if (direct || other->direct_in_use)
		return direct && other->direct_in_use;
	/* Not ->f_mapping: an overlay has one of its own, which nobody reads through. */
	return dev->backing.file &&
	       dev->backing.mapping == other->backing.mapping;
}

/*
 * Would @dev, @size bytes long and @direct, share bytes with @other, one being
 * written?  If one of them uses a page cache and the other does not use the same,
 * bytes in the same page count as shared: writing the page back would undo what
 * went past it.
 */
static bool dimgblk_registry_clash(const struct dimgblk_device *dev, u64 size,
				   bool direct,
				   const struct dimgblk_device *other)
{
	struct dimgblk_range a, b;
	u32 unit;

	if (other == dev || !other->backing.file)
		return false;
	/* The file below an overlay becomes another one when it is copied up. */
	if (dev->backing.identity != other->backing.identity &&
	    (!dev->backing.inode || dev->backing.inode != other->backing.inode))
		return false;
	if (dev->backing.read_only && other->backing.read_only)
		return false;
	unit = dimgblk_registry_same_cache(dev, direct, other) ? SECTOR_SIZE :
								 PAGE_SIZE;
	a = dimgblk_registry_range(dev, size, unit);
	b = dimgblk_registry_range(other, atomic64_read(&other->size), unit);
	return dimgblk_geometry_overlap(a.start, a.size, b.start, b.size);
}

static int dimgblk_registry_check_overlap(const struct dimgblk_device *dev,
					  u64 size, bool direct,
					  struct netlink_ext_ack *extack)
{
	struct dimgblk_device *other;
	unsigned long index;

	lockdep_assert_held(&dimgblk_registry_mutex);
	if (dev->flags & DIMGBLK_FLAG_ALLOW_OVERLAP)
		return 0;
	xa_for_each(&dimgblk_registry_xa, index, other) {
		if (!dimgblk_registry_clash(dev, size, direct, other))
			continue;
		NL_SET_ERR_MSG_FMT(extack,
				   "dimgblk%lu uses bytes of the same backing file, one writes",
				   index);
		return -EBUSY;
	}
	return 0;
}

static int dimgblk_registry_check_name(const struct dimgblk_device *dev,
				       const struct dimgblk_config *config,
				       struct netlink_ext_ack *extack)
{
	struct dimgblk_device *other;
	unsigned long index;

	lockdep_assert_held(&dimgblk_registry_mutex);
	if (!dev->name[0])
		return 0;
	xa_for_each(&dimgblk_registry_xa, index, other) {
		if (other->index_kept || strcmp(dev->name, other->name))
			continue;
		NL_SET_ERR_MSG_FMT(extack,
				   "the name is taken by dimgblk%lu", index);
		dimgblk_plan_blame(config, DIMGBLK_A_NAME, extack);
		return -EEXIST;
	}
	return 0;
}

/* Enter @dev under the wanted index or the first free one. */
static int dimgblk_registry_insert(struct dimgblk_device *dev,
				   const struct dimgblk_config *config,
				   struct netlink_ext_ack *extack)
{
	struct dimgblk_device *other;
	int err;

	lockdep_assert_held(&dimgblk_registry_mutex);
	/* NOIO: reclaim could wait for a hung backing file, with the mutex. */
	if (config->any_index)
		return xa_alloc(&dimgblk_registry_xa, &dev->index, dev,
				XA_LIMIT(0, DIMGBLK_MAX_INDEX), GFP_NOIO);
	err = xa_insert(&dimgblk_registry_xa, config->index, dev, GFP_NOIO);
	if (err == -EBUSY) {
		other = xa_load(&dimgblk_registry_xa, config->index);
		NL_SET_ERR_MSG_FMT(extack, "dimgblk%u is %s", config->index,
				   other->index_kept ?
				   "detached, but somebody still has it open" :
				   "attached already");
		dimgblk_plan_blame(config, DIMGBLK_A_INDEX, extack);
		return -EEXIST;
	}
	dev->index = config->index;
	return err;
}

/**
 * dimgblk_registry_add() - give a new device its place among the others
 * @dev: device with backing file, geometry, size, flags and name complete
 * @config: wanted index
 * @extack: gets the reason of a refusal
 *
 * From here on the name, the index and the range of bytes are taken, but the
 * device is not to be seen before dimgblk_registry_publish().
 *
 * Context: process context; may sleep.
 *
 * Return: 0 with @dev->index set; -EEXIST when name or index is taken, -EBUSY
 * when the range overlaps that of another device, -ENOSPC when there are as many
 * devices as allowed, -ENOMEM.
 */
int dimgblk_registry_add(struct dimgblk_device *dev,
			 const struct dimgblk_config *config,
			 struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&dimgblk_registry_mutex);
	if (dimgblk_registry_count >= dimgblk_max_devices) {
		NL_SET_ERR_MSG_FMT(extack,
				   "%u devices are attached, the most by max_devices",
				   dimgblk_registry_count);
		err = -ENOSPC;
		goto out_unlock;
	}
	err = dimgblk_registry_check_name(dev, config, extack);
	if (err)
		goto out_unlock;
	err = dimgblk_registry_check_overlap(dev, atomic64_read(&dev->size),
					     dev->direct_in_use, extack);
	if (err)
		goto out_unlock;
	err = dimgblk_registry_insert(dev, config, extack);
	if (!err)
		dimgblk_registry_count++;
out_unlock:
	mutex_unlock(&dimgblk_registry_mutex);
	return err;
}

/**
 * dimgblk_registry_remove() - free name and range, forget the device
 * @dev: device whose disk is gone
 *
 * Its index stays taken until dimgblk_registry_free_index().
 *
 * Context: process context; may sleep.
 */
void dimgblk_registry_remove(struct dimgblk_device *dev)
{
	mutex_lock(&dimgblk_registry_mutex);
	xa_clear_mark(&dimgblk_registry_xa, dev->index, XA_MARK_1);
	dev->index_kept = true;
	dimgblk_registry_count--;
	dimgblk_registry_seq++;
	mutex_unlock(&dimgblk_registry_mutex);
}

/**
 * dimgblk_registry_free_index() - let another device have the index
 * @dev: device that was removed, and that nobody has open
 *
 * Who has a device open, and was to give its name to another program, shall not
 * give it the name of another device.
 *
 * Context: process context; may sleep.
 */
void dimgblk_registry_free_index(struct dimgblk_device *dev)
{
	mutex_lock(&dimgblk_registry_mutex);
	dev->index_kept = false;
	xa_erase(&dimgblk_registry_xa, dev->index);
	mutex_unlock(&dimgblk_registry_mutex);
}

/**
 * dimgblk_registry_publish() - let a device be found and listed
 * @dev: device that just became live
 */
void dimgblk_registry_publish(struct dimgblk_device *dev)
{
	mutex_lock(&dimgblk_registry_mutex);
	xa_set_mark(&dimgblk_registry_xa, dev->index, XA_MARK_1);
	dimgblk_registry_seq++;
	mutex_unlock(&dimgblk_registry_mutex);
}

/**
 * dimgblk_registry_grow() - take the range for a new size
 * @dev: device
 * @size: its new size, bytes; smaller than before always succeeds
 * @extack: gets the reason of a refusal
 *
 * Requests up to the new size are accepted from here on.
 *
 * Return: 0, or -EBUSY when the new range overlaps that of another device.
 */
int dimgblk_registry_grow(struct dimgblk_device *dev, u64 size,
			  struct netlink_ext_ack *extack)
{
	int err = 0;

	mutex_lock(&dimgblk_registry_mutex);
	if (size > atomic64_read(&dev->size))
		err = dimgblk_registry_check_overlap(dev, size,
						     dev->direct_in_use,
						     extack);
	if (!err)
		atomic64_set(&dev->size, size);
	mutex_unlock(&dimgblk_registry_mutex);
	return err;
}

/**
 * dimgblk_registry_set_direct() - switch direct I/O, if the others allow it
 * @dev: device whose config_mutex is held
 * @direct: what it wants to be
 * @extack: gets the reason of a refusal
 *
 * Takes effect at once for the devices that come later.
 *
 * Return: 0 with @dev->direct_in_use set, or -EBUSY when another device, in the
 * other mode, uses bytes in the same page of the file.
 */
int dimgblk_registry_set_direct(struct dimgblk_device *dev, bool direct,
				struct netlink_ext_ack *extack)
{
	int err;

	mutex_lock(&dimgblk_registry_mutex);
	err = dimgblk_registry_check_overlap(dev, atomic64_read(&dev->size),
					     direct, extack);
	if (!err)
		WRITE_ONCE(dev->direct_in_use, direct);
	mutex_unlock(&dimgblk_registry_mutex);
	return err;
}

/**
 * dimgblk_registry_get_file() - a reference on the backing file
 * @dev: device
 *
 * Return: the file, to be given back by fput(), or NULL when the device has
 * dropped it.
 */
struct file *dimgblk_registry_get_file(struct dimgblk_device *dev)
{
	struct file *file;

	mutex_lock(&dimgblk_registry_mutex);
	file = dev->backing.file;
	if (file)
		get_file(file);
	mutex_unlock(&dimgblk_registry_mutex);
	return file;
}

/**
 * dimgblk_registry_file_size() - size of the backing file, as known here
 * @dev: device
 *
 * For those who cannot give a reference on the file back in time: the fput() of
 * a work item would keep the file system below busy beyond the detach.
 *
 * Return: bytes, or 0 when the device has dropped the file.
 */
u64 dimgblk_registry_file_size(struct dimgblk_device *dev)
{
	u64 size = 0;

	mutex_lock(&dimgblk_registry_mutex);
	if (dev->backing.file)
		size = dimgblk_backing_cached_size(dev->backing.file);
	mutex_unlock(&dimgblk_registry_mutex);
	return size;
}

/**
 * dimgblk_registry_take_file() - take the device's reference on its file away
 * @dev: dead device without requests
 *
 * Its range can be attached again from here on.
 *
 * Return: the file, to be given back by fput(), or NULL when it was taken
 * before.
 */
struct file *dimgblk_registry_take_file(struct dimgblk_device *dev)
{
	struct file *file;

	mutex_lock(&dimgblk_registry_mutex);
	file = dev->backing.file;
	dev->backing.file = NULL;
	mutex_unlock(&dimgblk_registry_mutex);
	return file;
}

/**
 * dimgblk_registry_get() - look a device up
 * @index: N of /dev/dimgblkN
 *
 * Return: the device with a reference, to be given back by
 * dimgblk_device_put(), or NULL.
 */
struct dimgblk_device *dimgblk_registry_get(u32 index)
{
	struct dimgblk_device *dev = NULL;

	mutex_lock(&dimgblk_registry_mutex);
	if (xa_get_mark(&dimgblk_registry_xa, index, XA_MARK_1)) {
		dev = xa_load(&dimgblk_registry_xa, index);
		get_device(disk_to_dev(dev->disk));
	}
	mutex_unlock(&dimgblk_registry_mutex);
	return dev;
}

/**
 * dimgblk_registry_take_owned() - the next device of a closed socket
 * @owner: netlink port of the socket, not 0
 *
 * Return: a device that was bound to it and no longer is, with a reference to be
 * given back by dimgblk_device_put(), or NULL when there is none left.
 */
struct dimgblk_device *dimgblk_registry_take_owned(u32 owner)
{
	struct dimgblk_device *dev;
	unsigned long index;

	mutex_lock(&dimgblk_registry_mutex);
	xa_for_each_marked(&dimgblk_registry_xa, index, dev, XA_MARK_1) {
		if (dev->owner != owner)
			continue;
		WRITE_ONCE(dev->owner, 0);	/* read by those who show it */
		get_device(disk_to_dev(dev->disk));
		break;
	}
	mutex_unlock(&dimgblk_registry_mutex);
	return dev;
}

/**
 * dimgblk_registry_generation() - has the set of devices changed?
 *
 * Return: a number, not 0, that changes with each device that comes or goes.
 */
unsigned int dimgblk_registry_generation(void)
{
	unsigned int seq = READ_ONCE(dimgblk_registry_seq);

	return seq ? seq : 1;
}

/**
 * dimgblk_registry_walk() - show devices in the order of their indexes
 * @index: first index to look at; set to where to go on
 * @fill: called for each device; may neither sleep for long nor call into a file
 *	system; stops the walk by returning an errno
 * @arg: passed to @fill
 *
 * Return: 0 when all were shown, else what @fill returned.
 */
int dimgblk_registry_walk(u32 *index,
			  int (*fill)(struct dimgblk_device *dev, void *arg),
			  void *arg)
{
	struct dimgblk_device *dev;
	unsigned long i = *index;
	int err = 0;

	mutex_lock(&dimgblk_registry_mutex);
	xa_for_each_range(&dimgblk_registry_xa, i, dev, *index,
			  DIMGBLK_MAX_INDEX) {
		if (!xa_get_mark(&dimgblk_registry_xa, i, XA_MARK_1))
			continue;
		err = fill(dev, arg);
		if (err)
			break;
		*index = i + 1;
	}
	mutex_unlock(&dimgblk_registry_mutex);
	return err;
}

/**
 * dimgblk_registry_show() - show one device
 * @dev: device
 * @fill: as for dimgblk_registry_walk()
 * @arg: passed to @fill
 *
 * Return: what @fill returned.
 */
int dimgblk_registry_show(struct dimgblk_device *dev,
			  int (*fill)(struct dimgblk_device *dev, void *arg),
			  void *arg)
{
	int err;

	mutex_lock(&dimgblk_registry_mutex);
	err = fill(dev, arg);
	mutex_unlock(&dimgblk_registry_mutex);
	return err;
}
