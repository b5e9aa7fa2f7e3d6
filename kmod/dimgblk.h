/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The map of the driver: what there is, who owns it, who may call whom.
 */
#ifndef _DIMGBLK_H
#define _DIMGBLK_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/completion.h>
#include <linux/errseq.h>
#include <linux/fs.h>
#include <linux/fsnotify_backend.h>
#include <linux/kref.h>
#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/netlink.h>
#include <linux/ratelimit.h>
#include <linux/refcount.h>
#include <linux/sizes.h>
#include <linux/rcupdate.h>
#include <linux/workqueue.h>
#include <net/genetlink.h>

#include <uapi/linux/dimgblk.h>

#include "compat/compat.h"
#include "geometry.h"

/**
 * DOC: The driver on one page
 *
 * A *device* is a gendisk on a window of a *backing file*.  device-attach makes
 * it, device-detach removes it; there is no device without a file.  A request
 * goes
 *
 *	dimgblk_queue_rq()	in the submitter's context: onto a lockless list
 *	dimgblk_lane_work()	a work item drains the list
 *	dimgblk_cmd_run()	checks the request, maps sectors to bytes
 *	dimgblk_backing_rw()	reads or writes the backing file
 *	dimgblk_cmd_end()	ends the request
 *
 * One file per contract.  Calls go only to the right; the three files of a
 * device's life, and follow, may call each other:
 *
 *	main -> netlink -> {device, detach, change} -> queue -> cmd -> backing
 *	        owner   -> detach  |-> plan, registry, follow, sysfs, workers
 *	reply <- netlink    events <- {device, detach, change, errors}
 *	                    errors <- {device, cmd, reply}
 *	geometry <- all     compat <- here
 *
 * Locks, in the order in which they nest:
 *
 * ==================== ======================================================
 * lock                 what it protects
 * ==================== ======================================================
 * config_mutex         one device-set at a time on a device; may be held over
 *                      calls into the backing file system
 * freeze_mutex         the queue is frozen by device-set; held no longer than a
 *                      request is waited for, against the end of the disk
 * disk->open_mutex     (the block layer's) state of a device, the auto-detach
 *                      flags and the end of its index, against opens and closes
 * registry mutex       which devices exist: indexes, names, ranges, and the
 *                      pointer to the backing file; never held over a call
 *                      into a file system, never taken by the I/O path
 * workers mutex        the shared work queues
 * mark mutex           (fsnotify's, under open_mutex) the marks of devices that
 *                      follow their file; not held over reclaim
 * errors.lock          the record of failed requests; innermost, taken only
 *                      when one fails or is asked for
 * ==================== ======================================================
 *
 * Lifetimes:
 *
 * ==================== ======================================================
 * object               lives until
 * ==================== ======================================================
 * device               its creator, its gendisk (->free_disk), its mark and its
 *                      work have dropped @ref, and an RCU grace period is over
 * gendisk              the detach work is done and the last opener gone; what
 *                      dimgblk_registry_get() hands out is a reference on it
 * backing file         the device is dead and its last request has ended
 * module               a reference is held from attach until the end of the
 *                      detach work; unloading waits for gendisks that others
 *                      still hold
 * ==================== ======================================================
 */

/* Images inside images: each level costs stack and a work queue. */
#define DIMGBLK_MAX_DEPTH	8
#define DIMGBLK_MAX_INDEX	((1U << MINORBITS) - 1)
#define DIMGBLK_QUEUE_DEPTH_DEFAULT	128U
#define DIMGBLK_QUEUE_DEPTH_MAX		4096U
#define DIMGBLK_HW_QUEUES_DEFAULT	8U
/* Largest request that may run on the CPU of its submitter, bytes. */
#define DIMGBLK_LOCAL_MAX	SZ_64K
/* How long a netlink request waits for others that are inside the backing file. */
#define DIMGBLK_REQUEST_WAIT	(5 * HZ)
/* Segments of a merged request that need no allocation. */
#define DIMGBLK_INLINE_BVECS	8

/**
 * struct dimgblk_config - what device-attach was asked for
 * @any_index: true when the kernel shall choose the index
 * @index: wanted index, if not @any_index
 * @backing_fd: file descriptor of the sender
 * @geometry: wanted window; a logical block size of 0 asks for the default
 * @flags: DIMGBLK_FLAG_*
 * @direct: DIMGBLK_DIRECT_*
 * @nr_hw_queues: hardware queues, 0 asks for the default
 * @queue_depth: requests in flight, 0 asks for the default
 * @owner: netlink port that the device shall be bound to, 0 is none
 * @name: wanted name, or empty
 * @attrs: attributes of the request, for dimgblk_plan_blame()
 */
struct dimgblk_config {
	bool any_index;
	u32 index;
	s32 backing_fd;
	struct dimgblk_geometry geometry;
	u32 flags;
	u32 direct;
	u32 nr_hw_queues;
	u32 queue_depth;
	u32 owner;
	char name[DIMGBLK_NAME_MAX_LEN + 1];
	struct nlattr **attrs;
};

/**
 * struct dimgblk_backing - the backing file and what it can do
 * @file: the file, or NULL when the reference was dropped; written under the
 *	registry mutex
 * @mapping: pages of the file, or of the file of the layer below an overlay
 * @identity: for the overlap check, not a reference: the inode of @mapping, or
 *	the whole disk when the backing file is a block device
 * @inode: likewise, the inode that was opened, or NULL for a block device
 * @start: position of byte 0 of the file in @identity, bytes; not 0 for a
 *	partition
 * @dev: device number of the block device, or of the file's super block
 * @stat_dev: device number of the block device, or the one that stat(2) tells of
 *	the file, which on btrfs is another one
 * @stat_ino: inode number as stat(2) tells it
 * @is_bdev: the backing file is a block device
 * @read_only: opened without write access, or asked to be read-only
 * @async_only: a synchronous kiocb would get the flags of a file below, which the
 *	owner of the file may change: overlayfs
 * @stable_writes: data must not change while it is written (checksums)
 * @fua: a write with IOCB_DSYNC is durable when it ends
 * @rotational: seeks are expensive
 * @block_size: smallest logical block size that the device may have, bytes
 * @dio_offset_align: alignment of positions for direct I/O, bytes, 0 is none
 *	possible
 * @dio_mem_align: alignment of memory for direct I/O, bytes
 * @discard_granularity: bytes, 0 when discard is not supported
 * @wb_lock: protects @wb_err
 * @wb_err: write-back errors of @mapping up to here were told to a FLUSH
 *
 * Filled by dimgblk_backing_open(), constant afterwards except for @file and
 * @wb_err.
 */
struct dimgblk_backing {
	struct file *file;
	struct address_space *mapping;
	const void *identity;
	const struct inode *inode;
	u64 start;
	dev_t dev;
	dev_t stat_dev;
	u64 stat_ino;
	bool is_bdev;
	bool read_only;
	bool async_only;
	bool stable_writes;
	bool fua;
	bool rotational;
	u32 block_size;
	u32 dio_offset_align;
	u32 dio_mem_align;
	u32 discard_granularity;
	spinlock_t wb_lock;	/* see @wb_err */
	errseq_t wb_err;
};

/**
 * struct dimgblk_error - one request that failed
 * @err: negative errno, as the file system of the backing file gave it
 * @op: what the request wanted
 * @pos: its first byte on the device, 0 for a flush
 * @len: its length, bytes, 0 for a flush
 * @time: when it failed, nanoseconds since 1970
 */
struct dimgblk_error {
	int err;
	enum dimgblk_io_op op;
	u64 pos;
	u32 len;
	u64 time;
};

/**
 * struct dimgblk_errors - the requests of one device that failed
 * @lock: protects the others, innermost
 * @count: how many there were since attach
 * @first: the first one, if @count is not 0
 * @last: the last one, likewise
 */
struct dimgblk_errors {
	spinlock_t lock;	/* see above */
	u64 count;
	struct dimgblk_error first;
	struct dimgblk_error last;
};

/**
 * enum dimgblk_state - stage of a device's life, in this order only
 * @DIMGBLK_NEW: attach is under way; serves requests, not listed
 * @DIMGBLK_LIVE: attached
 * @DIMGBLK_DETACHING: no new opens, requests are served until the disk is gone
 * @DIMGBLK_DEAD: no new opens, requests fail
 *
 * Changed by dimgblk_device_set_state() only, under disk->open_mutex.
 */
enum dimgblk_state {
	DIMGBLK_NEW,
	DIMGBLK_LIVE,
	DIMGBLK_DETACHING,
	DIMGBLK_DEAD,
};

/**
 * enum dimgblk_lane_kind - commands that may wait for each other
 * @DIMGBLK_LANE_LOCAL: a small direct read or write that came alone: handed over
 *	without waiting, on the CPU of its submitter, who is about to sleep
 * @DIMGBLK_LANE_READ: other reads
 * @DIMGBLK_LANE_WRITE: other writes, which may wait for a frozen file system to
 *	thaw or to have cleaned enough pages, with no read behind them
 * @DIMGBLK_LANE_SLOW: flush, discard and write-zeroes, which take long and would
 *	keep reads waiting behind them
 * @DIMGBLK_NR_LANES: their number
 */
enum dimgblk_lane_kind {
	DIMGBLK_LANE_LOCAL,
	DIMGBLK_LANE_READ,
	DIMGBLK_LANE_WRITE,
	DIMGBLK_LANE_SLOW,
	DIMGBLK_NR_LANES,
};

/**
 * struct dimgblk_lane - commands waiting for the same work item
 * @cmds: commands, newest first
 * @work: drains @cmds; running at most once at a time
 * @wq: where @work runs
 * @dev: the device
 */
struct dimgblk_lane {
	struct llist_head cmds;
	struct work_struct work;
	struct workqueue_struct *wq;
	struct dimgblk_device *dev;
};

/**
 * struct dimgblk_hw_queue - the driver's side of one hctx
 * @lanes: by enum dimgblk_lane_kind
 */
struct dimgblk_hw_queue {
	struct dimgblk_lane lanes[DIMGBLK_NR_LANES];
};

/**
 * struct dimgblk_cmd - what the driver remembers of one request (its PDU)
 * @node: on dimgblk_lane.cmds
 * @lane: the lane of the command
 * @iocb: the read or write under way
 * @ref: who still needs @iocb and the segments: the submitting call and the
 *	completion, hence 2
 * @ret: result of @iocb
 * @done: bytes transferred so far
 * @direct: bypass the page cache
 * @bvecs: segments of a merged request: @inline_bvecs or allocated
 * @inline_bvecs: room for the usual case
 */
struct dimgblk_cmd {
	struct llist_node node;
	struct dimgblk_lane *lane;
	struct kiocb iocb;
	refcount_t ref;
	long ret;
	unsigned int done;
	bool direct;
	struct bio_vec *bvecs;
	struct bio_vec inline_bvecs[DIMGBLK_INLINE_BVECS];
};

/**
 * struct dimgblk_drain - what the commands of one batch share
 * @blkcg: blkcg that the worker is charged to, or NULL
 * @memcg: memory cgroup likewise, a reference, or NULL
 * @old_memcg: what it was before the first command
 * @synced: a flush of this batch was served
 * @sync_error: its result, which is that of every flush of the batch: all of
 *	them were queued before it began
 */
struct dimgblk_drain {
	struct cgroup_subsys_state *blkcg;
	struct cgroup_subsys_state *memcg;
	struct mem_cgroup *old_memcg;
	bool synced;
	int sync_error;
};

struct dimgblk_workers;

/**
 * struct dimgblk_device - one attached disk image
 * @index: N of /dev/dimgblkN
 * @depth: block devices of ours on top of each other, 1 is the lowest
 * @flags: DIMGBLK_FLAG_*, as asked for
 * @nr_hw_queues: number of @hw_queues
 * @queue_depth: requests in flight at most
 * @name: unique name, or empty
 * @geometry: the window in the backing file
 * @backing: the backing file
 * @tag_set: one per device: devices that are stacked must not share tags
 * @hw_queues: one per hctx
 * @disk: the gendisk; its references are the references of the device
 * @workers: work queues shared by all devices on the same super block
 * @size: size in bytes; written under disk->open_mutex, read by the I/O path
 * @direct: DIMGBLK_DIRECT_* as asked for; written under @config_mutex
 * @direct_in_use: requests bypass the page cache; written under @config_mutex and
 *	the registry mutex, with the queue frozen; read by the I/O path
 * @direct_reason: why not, or NULL; a string constant
 * @config_mutex: see the table of locks
 * @freeze_mutex: likewise
 * @state: stage of its life; written under disk->open_mutex
 * @auto_detach: detach at the last close once @armed; under disk->open_mutex
 * @armed: an exclusive user was seen, or a lazy detach asked for; set once, by
 *	open, detach and the I/O path
 * @index_kept: nothing is in the registry but @index; written under the registry mutex,
 *	and, once there is a disk, under disk->open_mutex
 * @owner: netlink port of the socket that the device is bound to, 0 is none;
 *	written under the registry mutex
 * @owner_work: begins the detach when that socket is closed
 * @following: @follow_mark is on the inode of the backing file
 * @follow_mark: tells when the backing file changes; holds a reference
 * @follow_work: lets the capacity grow
 * @fail_io: a forced detach was asked for; set once
 * @detach_begun: bit 0 is set by the one who queues @detach_work
 * @no_zero_range: the file system cannot zero a range and keep its blocks
 * @no_punch_hole: the file system cannot punch holes
 * @errors: what failed since attach
 * @error_limit: how often error events are sent
 * @detach_work: removes the disk
 * @detached: completed when @detach_work is done with all but freeing
 * @detach_error: result of the last sync, valid after @detached
 * @ref: of the creator, dropped by @detach_work, of the added gendisk, of
 *	@follow_mark and of a queued @follow_work
 * @rcu: frees the device
 */
struct dimgblk_device {
	/* Set before the disk is added, constant afterwards. */
	u32 index;
	u32 depth;
	u32 flags;
	u32 nr_hw_queues;
	u32 queue_depth;
	char name[DIMGBLK_NAME_MAX_LEN + 1];
	struct dimgblk_geometry geometry;
	struct dimgblk_backing backing;
	struct blk_mq_tag_set tag_set;
	struct dimgblk_hw_queue *hw_queues;
	struct gendisk *disk;
	struct dimgblk_workers *workers;

	/* Changed by device-set. */
	atomic64_t size;
	u32 direct;
	bool direct_in_use;
	const char *direct_reason;
	struct mutex config_mutex;	/* serialises device-set */
	struct mutex freeze_mutex;	/* its freeze, and detach_work */

	/* Changed by open, close and detach. */
	enum dimgblk_state state;
	bool auto_detach;
	bool armed;
	bool fail_io;
	unsigned long detach_begun;
	bool index_kept;
	u32 owner;
	struct work_struct owner_work;

	/* Written by attach and detach only. */
	bool following;
	struct fsnotify_mark follow_mark;
	struct delayed_work follow_work;

	/* Learnt by the I/O path, never unlearnt. */
	bool no_zero_range;
	bool no_punch_hole;
	struct dimgblk_errors errors;
	struct ratelimit_state error_limit;

	/* Detach. */
	struct work_struct detach_work;
	struct completion detached;
	int detach_error;
	struct kref ref;
	struct rcu_head rcu;
};

/* main.c */
extern unsigned int dimgblk_max_devices;

/* netlink.c */
extern struct genl_family dimgblk_nl_family;
int dimgblk_nl_init(void);
void dimgblk_nl_exit(void);

/* reply.c */
struct sk_buff *dimgblk_reply_alloc(void);
int dimgblk_reply_device(struct sk_buff *skb, struct genl_info *info,
			 struct dimgblk_device *dev, bool admin, bool opens);
int dimgblk_reply_detach(struct sk_buff *skb, struct genl_info *info,
			 struct dimgblk_device *dev,
			 enum dimgblk_device_state state);
int dimgblk_reply_dump_start(struct netlink_callback *cb);

/* events.c */
void dimgblk_event(struct dimgblk_device *dev, enum dimgblk_event_type type);
void dimgblk_event_detach(struct dimgblk_device *dev, int err);
void dimgblk_event_error(struct dimgblk_device *dev,
			 const struct dimgblk_error *error);

/* errors.c */
void dimgblk_errors_setup(struct dimgblk_errors *errors);
int dimgblk_errors_answer(struct dimgblk_device *dev, struct request *rq,
			  int err);
u64 dimgblk_errors_get(struct dimgblk_errors *errors,
		       struct dimgblk_error *first, struct dimgblk_error *last);

/* device.c */
extern const struct block_device_operations dimgblk_device_fops;
int dimgblk_device_init(void);
void dimgblk_device_drain(void);
void dimgblk_device_exit(void);
int dimgblk_device_open(struct gendisk *disk, blk_mode_t mode);
void dimgblk_device_close(struct gendisk *disk);
int dimgblk_device_attach(const struct dimgblk_config *config,
			  struct dimgblk_device **attached,
			  struct netlink_ext_ack *extack);
bool dimgblk_device_queue_work(struct work_struct *work);
bool dimgblk_device_queue_delayed(struct delayed_work *work,
				  unsigned long delay);
void dimgblk_device_set_state(struct dimgblk_device *dev,
			      enum dimgblk_state state);
enum dimgblk_device_state
dimgblk_device_public_state(const struct dimgblk_device *dev);
int dimgblk_device_lock(struct mutex *lock, struct netlink_ext_ack *extack);
void dimgblk_device_put(struct dimgblk_device *dev);
void dimgblk_device_release(struct dimgblk_device *dev);

/* detach.c */
void dimgblk_detach_setup(struct dimgblk_device *dev);
void dimgblk_detach_last_close(struct dimgblk_device *dev);
int dimgblk_detach_device(struct dimgblk_device *dev,
			  enum dimgblk_detach_mode mode,
			  enum dimgblk_device_state *state,
			  struct netlink_ext_ack *extack);
void dimgblk_detach_abandon(struct dimgblk_device *dev);

/* change.c */
void dimgblk_change_catch_up(struct dimgblk_device *dev);
int dimgblk_change_follow(struct dimgblk_device *dev);
int dimgblk_change_resize(struct dimgblk_device *dev,
			  struct netlink_ext_ack *extack);
void dimgblk_change_drop_pages(struct dimgblk_device *dev);
int dimgblk_change_direct(struct dimgblk_device *dev, u32 direct,
			  struct netlink_ext_ack *extack);

/* plan.c */
void dimgblk_plan_blame(const struct dimgblk_config *config, int attr,
			struct netlink_ext_ack *extack);
int dimgblk_plan_check_config(const struct dimgblk_config *config,
			      struct netlink_ext_ack *extack);
int dimgblk_plan_device(struct dimgblk_device *dev,
			const struct dimgblk_config *config,
			struct netlink_ext_ack *extack);
int dimgblk_plan_direct(const struct dimgblk_device *dev, u32 direct,
			bool *in_use, const char **reason,
			struct netlink_ext_ack *extack);

/* registry.c */
int dimgblk_registry_add(struct dimgblk_device *dev,
			 const struct dimgblk_config *config,
			 struct netlink_ext_ack *extack);
void dimgblk_registry_remove(struct dimgblk_device *dev);
void dimgblk_registry_free_index(struct dimgblk_device *dev);
int dimgblk_registry_grow(struct dimgblk_device *dev, u64 size,
			  struct netlink_ext_ack *extack);
int dimgblk_registry_set_direct(struct dimgblk_device *dev, bool direct,
				struct netlink_ext_ack *extack);
struct file *dimgblk_registry_get_file(struct dimgblk_device *dev);
struct file *dimgblk_registry_take_file(struct dimgblk_device *dev);
u64 dimgblk_registry_file_size(struct dimgblk_device *dev);
struct dimgblk_device *dimgblk_registry_get(u32 index);
struct dimgblk_device *dimgblk_registry_take_owned(u32 owner);
void dimgblk_registry_publish(struct dimgblk_device *dev);
unsigned int dimgblk_registry_generation(void);
int dimgblk_registry_walk(u32 *index,
			  int (*fill)(struct dimgblk_device *dev, void *arg),
			  void *arg);
int dimgblk_registry_show(struct dimgblk_device *dev,
			  int (*fill)(struct dimgblk_device *dev, void *arg),
			  void *arg);

/* follow.c */
int dimgblk_follow_init(void);
void dimgblk_follow_exit(void);
int dimgblk_follow_start(struct dimgblk_device *dev,
			 struct netlink_ext_ack *extack);
void dimgblk_follow_stop(struct dimgblk_device *dev);

/* owner.c */
int dimgblk_owner_init(void);
void dimgblk_owner_exit(void);
void dimgblk_owner_setup(struct dimgblk_device *dev);

/* sysfs.c */
extern const struct attribute_group *dimgblk_sysfs_groups[];

/* workers.c */
struct dimgblk_workers *dimgblk_workers_get(dev_t dev);
void dimgblk_workers_put(struct dimgblk_workers *workers);
struct workqueue_struct *dimgblk_workers_wq(struct dimgblk_workers *workers,
					    bool is_short);

/* queue.c */
int dimgblk_queue_create(struct dimgblk_device *dev);
void dimgblk_queue_destroy(struct dimgblk_device *dev);
void dimgblk_queue_idle(struct dimgblk_device *dev);

/* cmd.c */
void dimgblk_cmd_init(struct dimgblk_cmd *cmd, struct dimgblk_lane *lane,
		      bool direct);
bool dimgblk_cmd_resume(struct dimgblk_cmd *cmd);
void dimgblk_cmd_run(struct dimgblk_cmd *cmd, struct dimgblk_drain *drain);
void dimgblk_cmd_succeed(struct dimgblk_cmd *cmd);

/* backing-open.c */
int dimgblk_backing_open(struct dimgblk_backing *backing, int fd,
			 bool read_only, struct netlink_ext_ack *extack);

/* backing.c */
struct gendisk *dimgblk_backing_disk(const struct dimgblk_backing *backing);
int dimgblk_backing_size(struct file *file, u64 *size);
u64 dimgblk_backing_cached_size(struct file *file);
const char *dimgblk_backing_no_direct(const struct dimgblk_backing *backing,
				      const struct dimgblk_geometry *geometry,
				      bool automatic);
ssize_t dimgblk_backing_rw(const struct dimgblk_backing *backing,
			   struct kiocb *iocb, struct iov_iter *iter);
void dimgblk_backing_rw_done(const struct dimgblk_backing *backing,
			     struct kiocb *iocb);
bool dimgblk_backing_interrupted(int err);
int dimgblk_backing_sync(struct dimgblk_backing *backing, struct file *file,
			 bool datasync);
void dimgblk_backing_drop_pages(const struct dimgblk_backing *backing,
				struct file *file);
bool dimgblk_backing_frozen(const struct dimgblk_backing *backing);
bool dimgblk_backing_covers(const struct dimgblk_backing *backing, loff_t end);
int dimgblk_backing_punch_hole(const struct dimgblk_backing *backing,
			       loff_t pos, loff_t len);
int dimgblk_backing_zero_range(const struct dimgblk_backing *backing,
			       loff_t pos, loff_t len);

#endif /* _DIMGBLK_H */
