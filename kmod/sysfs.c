// SPDX-License-Identifier: GPL-2.0
/*
 * Sysfs: the files in /sys/block/dimgblkN/dimgblk/.
 *
 * Owns their text.  All are for reading: the one way to change a device is
 * netlink.  Names are loop's where the meaning is loop's.  The group is given to
 * device_add_disk(), so the files are there before the first uevent.
 */

#include <linux/device.h>
#include <linux/sysfs.h>

#include "dimgblk.h"

static struct dimgblk_device *dimgblk_sysfs_device(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

/* Writes the path into @arg, a page.  Return: its length or an errno. */
static int dimgblk_sysfs_path(struct dimgblk_device *dev, void *arg)
{
	char *path, *buf = arg;
	int len;

	if (!dev->backing.file)
		return -ENODEV;
	path = file_path(dev->backing.file, buf, PAGE_SIZE - 1);
	if (IS_ERR(path))
		return PTR_ERR(path);
	len = strlen(path);
	memmove(buf, path, len);
	buf[len++] = '\n';
	return len;
}

/*
 * Path of the backing file as the kernel sees it; root only, as it may tell.  Without
 * a reference on the file: a reader that is slow to give it back would keep the file
 * system below busy after the detach.
 */
static ssize_t backing_file_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return dimgblk_registry_show(dimgblk_sysfs_device(dev),
				     dimgblk_sysfs_path, buf);
}

/* First byte in the backing file, bytes. */
static ssize_t offset_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  dimgblk_sysfs_device(dev)->geometry.offset);
}

/* Most bytes of the backing file to use, 0 is to its end. */
static ssize_t sizelimit_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  dimgblk_sysfs_device(dev)->geometry.size_limit);
}

/* 1 if the device detaches at its last close. */
static ssize_t autoclear_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  READ_ONCE(dimgblk_sysfs_device(dev)->auto_detach));
}

/* 1 if the capacity follows the backing file as it grows. */
static ssize_t follow_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  !!(dimgblk_sysfs_device(dev)->flags &
			     DIMGBLK_FLAG_FOLLOW));
}

/* 1 if partitions were looked for. */
static ssize_t partscan_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  !!(dimgblk_sysfs_device(dev)->flags &
			     DIMGBLK_FLAG_PARTITION_SCAN));
}

/* 1 if requests bypass the page cache of the backing file. */
static ssize_t dio_show(struct device *dev, struct device_attribute *attr,
			char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  READ_ONCE(dimgblk_sysfs_device(dev)->direct_in_use));
}

/* 1 if other devices may use the same bytes of the backing file. */
static ssize_t overlap_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return sysfs_emit(buf, "%d\n",
			  !!(dimgblk_sysfs_device(dev)->flags &
			     DIMGBLK_FLAG_ALLOW_OVERLAP));
}

/* Direct I/O as asked for: off, on or auto. */
static ssize_t direct_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	static const char * const modes[] = {
		[DIMGBLK_DIRECT_OFF] = "off",
		[DIMGBLK_DIRECT_ON] = "on",
		[DIMGBLK_DIRECT_AUTO] = "auto",
	};

	return sysfs_emit(buf, "%s\n",
			  modes[READ_ONCE(dimgblk_sysfs_device(dev)->direct)]);
}

/* Why dio is 0 although direct is auto, else an empty line. */
static ssize_t direct_reason_show(struct device *dev,
				  struct device_attribute *attr, char *buf)
{
	const char *reason =
		READ_ONCE(dimgblk_sysfs_device(dev)->direct_reason);

	return sysfs_emit(buf, "%s\n", reason ? reason : "");
}

/* Unique name, or an empty line. */
static ssize_t name_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return sysfs_emit(buf, "%s\n", dimgblk_sysfs_device(dev)->name);
}

/* Stage of the device's life: live, detaching or dead. */
static ssize_t state_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	static const char * const states[] = {
		[DIMGBLK_STATE_LIVE] = "live",
		[DIMGBLK_STATE_DETACHING] = "detaching",
		[DIMGBLK_STATE_DEAD] = "dead",
	};

	return sysfs_emit(buf, "%s\n",
			  states[dimgblk_device_public_state(dimgblk_sysfs_device(dev))]);
}

static DEVICE_ATTR_ADMIN_RO(backing_file);
static DEVICE_ATTR_RO(offset);
static DEVICE_ATTR_RO(sizelimit);
static DEVICE_ATTR_RO(autoclear);
static DEVICE_ATTR_RO(follow);
static DEVICE_ATTR_RO(partscan);
static DEVICE_ATTR_RO(dio);
static DEVICE_ATTR_RO(overlap);
static DEVICE_ATTR_RO(direct);
static DEVICE_ATTR_RO(direct_reason);
static DEVICE_ATTR_RO(name);
static DEVICE_ATTR_RO(state);

static struct attribute *dimgblk_sysfs_attrs[] = {
	&dev_attr_backing_file.attr,
	&dev_attr_offset.attr,
	&dev_attr_sizelimit.attr,
	&dev_attr_autoclear.attr,
	&dev_attr_follow.attr,
	&dev_attr_partscan.attr,
	&dev_attr_dio.attr,
	&dev_attr_overlap.attr,
	&dev_attr_direct.attr,
	&dev_attr_direct_reason.attr,
	&dev_attr_name.attr,
	&dev_attr_state.attr,
	NULL
};

static const struct attribute_group dimgblk_sysfs_group = {
	.name = "dimgblk",
	.attrs = dimgblk_sysfs_attrs,
};

const struct attribute_group *dimgblk_sysfs_groups[] = {
	&dimgblk_sysfs_group,
	NULL
};
