/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dimgsetup.h - the map of the tool: data that the files hand to each other,
 * then prototypes grouped by file in the order in which a command calls them.
 *
 * Commands (attach.c, detach.c, ...) see plain structs only. nl.c, nlsocket.c and
 * nlparse.c alone know netlink, table.c alone knows libsmartcols, holders.c
 * libmount, settle.c libudev, module.c libkmod. A new command is one file and one line in main.c.
 */
#ifndef DIMGSETUP_H
#define DIMGSETUP_H

#include <dirent.h>
#include <glob.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

#include <linux/dimgblk.h>

/* The compiler checks format strings, as it does for the kernel's functions. */
#define DIMG_ATTRIBUTE		__attribute__
#define __printf(a, b)		DIMG_ATTRIBUTE((format(printf, a, b)))

#define DIMG_VERSION		"0.1"
#define DIMG_SECTOR_SIZE	512
#define DIMG_NODE_PREFIX	"dimgblk"
/* "dimgblk" + 7 digits of the index + "p" + partition number + zero */
#define DIMG_NODE_LEN		32

/* Exit codes; dimgsetup.8 promises them to scripts. */
enum dimg_exit {
	DIMG_EXIT_OK,
	DIMG_EXIT_USAGE,
	DIMG_EXIT_NOT_FOUND,
	DIMG_EXIT_BUSY,
	DIMG_EXIT_REFUSED,
	DIMG_EXIT_PERMISSION,
	DIMG_EXIT_NO_MODULE,
	DIMG_EXIT_KERNEL,
};

/**
 * struct dimg_error - why something failed
 * @err: errno, positive
 * @attr: DIMGBLK_A_* that the kernel blames, 0 if it blames none
 * @text: the kernel's sentence or the library's; empty if there is none
 */
struct dimg_error {
	int err;
	int attr;
	char text[1024];
};

/**
 * struct dimg_io_error - a request that failed
 *
 * Members are the attributes of the same name.
 */
struct dimg_io_error {
	int32_t error;
	uint32_t op;
	uint64_t pos;
	uint32_t length;
	uint64_t time;
};

/**
 * struct dimg_device - a device as the kernel describes it
 * @known: bit DIMGBLK_A_* is set for each attribute that the kernel sent; the
 *	backing file, for one, is told to CAP_SYS_ADMIN only
 *
 * The other members are the attributes of the same name; units are those of
 * Documentation/netlink/specs/dimgblk.yaml. Strings are NULL when absent.
 */
struct dimg_device {
	uint64_t known;
	uint32_t index;
	uint64_t diskseq;
	uint64_t offset;
	uint64_t size_limit;
	uint64_t capacity;
	uint32_t logical_block_size;
	uint32_t flags;
	uint32_t direct;
	uint32_t direct_in_use;
	uint32_t nr_hw_queues;
	uint32_t queue_depth;
	uint32_t open_count;
	uint32_t state;
	uint32_t major;
	uint32_t minor;
	uint64_t backing_inode;
	uint32_t backing_major;
	uint32_t backing_minor;
	char *name;
	char *direct_reason;
	char *backing_path;
	uint64_t error_count;
	struct dimg_io_error first_error;
	struct dimg_io_error last_error;
	/* events only */
	uint32_t event;
	int32_t error;
	uint64_t error_sector;
};

/* A list of devices; dimg_devices_free() frees the strings too. */
struct dimg_devices {
	struct dimg_device *v;
	size_t n;
};

static inline bool dimg_device_knows(const struct dimg_device *dev, int attr)
{
	return dev->known & (UINT64_C(1) << attr);
}

/**
 * struct dimg_request - what to attach, and how
 * @given: bit DIMGBLK_A_* for each attribute to send; the kernel chooses the rest
 */
struct dimg_request {
	uint64_t given;
	int backing_fd;
	uint32_t index;
	uint64_t offset;
	uint64_t size_limit;
	uint32_t logical_block_size;
	uint32_t flags;
	uint32_t direct;
	uint32_t nr_hw_queues;
	uint32_t queue_depth;
	const char *name;
};

/**
 * struct dimg_image - an image file or block device, open
 * @fd: what the kernel gets; -1 when closed
 * @path: as the user wrote it
 * @size: bytes
 */
struct dimg_image {
	int fd;
	const char *path;
	uint64_t size;
};

/**
 * struct dimg_holders - who uses a disk
 * @n: how many
 * @n_udev: of these, workers of udevd, which go by themselves
 * @n_opens: by how many opens, not less: one mount may be told of several times, and so may
 *	one open that processes share
 * @v: one sentence each, escaped for a terminal
 */
struct dimg_holders {
	size_t n;
	size_t n_udev;
	size_t n_opens;
	char **v;
};

struct dimg_nl;
struct libmnt_fs;
struct libmnt_table;
struct option;

/**
 * struct dimg_attach - an attach with all its options
 * @path: the image, as the user wrote it
 * @req: what the kernel will be asked; callers may add flags
 * @part: argument of --part; NULL is the whole image
 * @no_lock: take no locks, and heed none
 * @img: open between dimg_attach_open() and dimg_attach_close()
 * @gpt_sector_size: found by dimg_attach_open(); 0 if there is no GPT
 *
 * The way: dimg_attach_init(); path; options by dimg_attach_option() or
 * dimg_attach_getopt(); dimg_attach_open(), before the module is loaded;
 * dimg_connect(); dimg_attach_run(); dimg_attach_close().
 */
struct dimg_attach {
	const char *path;
	struct dimg_request req;
	const char *part;
	bool no_lock;
	struct dimg_image img;
	uint32_t gpt_sector_size;
};

/* main.c */
extern const char *dimg_command;	/* name of the command that runs */
extern bool dimg_verbose;
int dimg_getopt_common(int opt);

/* report.c */
extern const char *dimg_program;	/* before each message: dimgsetup or a link to it */
#define DIMG_CONTEXT_LEN	320

extern char dimg_context[DIMG_CONTEXT_LEN];
void dimg_error_set(struct dimg_error *e, int err, const char *fmt, ...)
	__printf(3, 4);
void dimg_say(const char *subject, const char *fmt, ...)
	__printf(2, 3);
void dimg_note(const char *subject, const char *fmt, ...)
	__printf(2, 3);
int dimg_fail(const char *subject, const struct dimg_error *e);
int dimg_fail_errno(const char *subject, int ret, const char *what);
int dimg_fail_attach(const char *subject, const struct dimg_error *e);
int dimg_fail_busy(const char *subject, const struct dimg_error *e,
		   const struct dimg_holders *h);
int dimg_fail_detach(const char *subject, const struct dimg_error *e,
		     const struct dimg_holders *h);
int dimg_usage_error(const char *fmt, ...)
	__printf(1, 2);
void dimg_fputs_escaped(const char *s, FILE *f);

/* parse.c */
int dimg_parse_size(const char *s, uint64_t *bytes);
int dimg_parse_u32(const char *s, uint32_t *val);
int dimg_parse_direct(const char *s, uint32_t *mode);
int dimg_parse_node(const char *s, uint32_t *index, bool *partition);
bool dimg_parse_is_name(const char *s);
bool dimg_parse_is_part_name(const char *s);
#define DIMG_PART_NAME_TEXT \
	"the name \"%s\" ends as the link of a partition does (-partN); choose another one"
const char *dimg_direct_text(uint32_t mode);
const char *dimg_state_text(uint32_t state);
void dimg_human_size(uint64_t bytes, char *buf, size_t len);

/* nlsocket.c */
int dimg_nl_open(struct dimg_nl **nlp, struct dimg_error *e);
void dimg_nl_close(struct dimg_nl *nl);
int dimg_nl_inherit(struct dimg_nl *nl);

/* nl.c */
int dimg_nl_attach(struct dimg_nl *nl, const struct dimg_request *req,
		   struct dimg_device *dev, struct dimg_error *e);
int dimg_nl_detach(struct dimg_nl *nl, const struct dimg_device *dev,
		   uint32_t mode, struct dimg_device *reply,
		   struct dimg_error *e);
int dimg_nl_dump(struct dimg_nl *nl, struct dimg_devices *devs,
		 struct dimg_error *e);
int dimg_nl_resize(struct dimg_nl *nl, const struct dimg_device *dev,
		   struct dimg_device *reply, struct dimg_error *e);
int dimg_nl_set_direct(struct dimg_nl *nl, const struct dimg_device *dev,
		       uint32_t direct, struct dimg_device *reply,
		       struct dimg_error *e);
int dimg_nl_subscribe(struct dimg_nl *nl, struct dimg_error *e);
int dimg_nl_event_fd(const struct dimg_nl *nl);
int dimg_nl_next_events(struct dimg_nl *nl,
			void (*show)(const struct dimg_device *ev, void *arg),
			void *arg, struct dimg_error *e);

/* device.c */
void dimg_device_free(struct dimg_device *dev);
int dimg_devices_add(struct dimg_devices *devs, struct dimg_device *dev);
int dimg_devices_copy(struct dimg_devices *devs, const struct dimg_device *dev);
void dimg_devices_newest_first(struct dimg_devices *devs);
void dimg_devices_free(struct dimg_devices *devs);
int dimg_device_open(const char *node, int flags, uint64_t diskseq);

/* module.c */
int dimg_connect(struct dimg_nl **nlp);

/* resolve.c */
int dimg_resolve(const struct dimg_devices *all, const char *arg,
		 struct dimg_devices *found);
bool dimg_device_is_on(const struct dimg_device *dev, const char *path,
		       const struct stat *st);
int dimg_resolve_one(struct dimg_nl *nl, const char *arg,
		     struct dimg_device *dev);

/* image.c */
int dimg_image_open(const char *path, bool read_only, bool shared,
		    struct dimg_image *img);
void dimg_image_close(struct dimg_image *img);
bool dimg_image_overcommits(int fd, uint64_t *needed, uint64_t *avail);
uint32_t dimg_image_sector_size(const struct dimg_image *img);
int dimg_image_size(const struct dimg_device *dev, uint64_t *bytes);

/* probe.c: the only user of libblkid; nothing here needs a device */
/**
 * struct dimg_probe - what lies in a window of an image; NULL where nothing does
 * @type: such as ext4, crypto_LUKS, swap
 * @usage: filesystem, raid, crypto or other
 * @label: of the file system
 * @uuid: of the file system, as mount(8) takes it
 * @pttype: of a partition table: gpt, dos, ...
 * @ambivalent: signatures of several types; then nothing else is set
 * @damaged: the checksum of the superblock is wrong
 */
struct dimg_probe {
	char *type;
	char *usage;
	char *label;
	char *uuid;
	char *pttype;
	bool ambivalent;
	bool damaged;
};

/**
 * struct dimg_partition - one entry of a partition table; offsets are bytes
 * @nr: as in the name of its node, from 1
 * @name: of a GPT entry; NULL if it has none
 * @uuid: PARTUUID
 * @type: GUID of a GPT entry, "0x83" of an MBR's
 * @container: an extended partition, which holds the logical ones
 */
struct dimg_partition {
	unsigned int nr;
	uint64_t start;
	uint64_t size;
	char *name;
	char *uuid;
	char *type;
	bool container;
};

struct dimg_partitions {
	struct dimg_partition *v;
	size_t n;
};

int dimg_probe(int fd, uint64_t offset, uint64_t size, struct dimg_probe *p);
void dimg_probe_free(struct dimg_probe *p);
int dimg_probe_sector_size(int fd, uint64_t offset, uint32_t *bytes);
int dimg_probe_partitions(int fd, uint32_t sector_size,
			  struct dimg_partitions *parts);
void dimg_partitions_free(struct dimg_partitions *parts);

/* partition.c */
bool dimg_partition_matches(const char *arg, const struct dimg_partition *part,
			    const struct dimg_probe *fs);
int dimg_partition_find(const struct dimg_image *img, uint32_t sector_size,
			const char *arg, uint64_t *offset, uint64_t *size);
void dimg_partition_list(const struct dimg_image *img,
			 const struct dimg_partitions *parts);

/* lock.c */
int dimg_lock_image(const struct dimg_image *img, bool read_only);
int dimg_lock_alone(const struct dimg_image *img);
int dimg_lock_still(const struct dimg_image *img);
int dimg_lock_check_loop(const struct dimg_image *img);

/* Attributes that were chosen; what is not chosen is not sent. */
static inline void dimg_attach_give(struct dimg_attach *a, int attr)
{
	a->req.given |= UINT64_C(1) << attr;
}

static inline bool dimg_attach_is_given(const struct dimg_attach *a, int attr)
{
	return a->req.given & (UINT64_C(1) << attr);
}

/* flock.c */
int dimg_flock(int fd);

/* attachopt.c: what the options of attach mean */
#define DIMG_ATTACH_LETTERS	"o:rb:Pd:"
#define DIMG_LONGOPTS		64	/* room for attach's and a command's own */

int dimg_attach_option(struct dimg_attach *a, const char *name,
		       const char *value);
void dimg_attach_longopts(const struct option *more, struct option *to);
int dimg_attach_getopt(struct dimg_attach *a, int opt, const char *value);
void dimg_attach_usage(FILE *f);

bool dimg_attach_knows(const char *name);

/* attachment.c: how one attaches */
void dimg_attach_init(struct dimg_attach *a);
uint32_t dimg_attach_table_sector_size(const struct dimg_attach *a,
				       const struct dimg_image *img,
				       uint32_t gpt);
int dimg_attach_open(struct dimg_attach *a);
int dimg_attach_try(struct dimg_nl *nl, struct dimg_attach *a,
		    struct dimg_device *dev, struct dimg_error *e);
int dimg_attach_run(struct dimg_nl *nl, struct dimg_attach *a,
		    struct dimg_device *dev);
void dimg_attach_close(struct dimg_attach *a);

/* reuse.c */
void dimg_reuse_differs(const struct dimg_request *req,
			const struct dimg_device *dev, char *list, size_t len);
int dimg_reuse(struct dimg_nl **nlp, struct dimg_attach *a,
	       struct dimg_device *dev);

/* with.c */
int dimg_with(struct dimg_nl *nl, const struct dimg_device *dev,
	      char *const argv[]);

/* holders.c */
int dimg_holders_find(unsigned int major, unsigned int minor,
		      struct dimg_holders *h);
void dimg_holders_free(struct dimg_holders *h);
int dimg_holders_add(struct dimg_holders *h, const char *fmt, ...)
	__printf(2, 3);
bool dimg_holders_comm(const char *pid, char *comm, size_t len);

/* udevd.c */
bool dimg_is_of_udev(const char *pid);

/* detach.c */
int dimg_detach_device(struct dimg_nl *nl, const struct dimg_device *dev,
		       uint32_t mode, uint64_t patience_us);

/* look.c */

/* Room for /proc/PID/NAME, with PID as long as a directory entry may be. */
#define DIMG_PROC_PATH_LEN	(NAME_MAX + 32)

/**
 * struct dimg_namespaces - mount namespaces that were looked at
 * @v: their inodes; give it to free()
 */
struct dimg_namespaces {
	ino_t *v;
	size_t n;
};

bool dimg_is_out_of_sight(int err);
bool dimg_is_out_of_means(int err);
struct dirent *dimg_readdir(DIR *d, int *ret);
int dimg_glob(const char *pattern, glob_t *g);
int dimg_mountinfo_read(struct dimg_namespaces *seen, const char *pid,
			struct libmnt_table **tb);

/* devset.c */
struct dimg_devset {
	size_t n;
	struct dimg_devset_member {
		dev_t dev;
		char node[DIMG_NODE_LEN];	/* kernel name, e.g. dimgblk0p1 */
	} *v;
};

int dimg_devset_load(unsigned int major, unsigned int minor,
		     struct dimg_devset *set);
int dimg_devset_merge(struct dimg_devset *set, const struct dimg_devset *more);
int dimg_devset_add_holders(struct dimg_devset *set);
bool dimg_devset_has(const struct dimg_devset *set, dev_t dev);
dev_t dimg_devset_of_node(const struct dimg_devset *set, const char *path);
bool dimg_devset_has_node(const struct dimg_devset *set, const char *path);
dev_t dimg_devset_mounted(const struct dimg_devset *set, struct libmnt_fs *fs);
void dimg_devset_free(struct dimg_devset *set);

/* blockattr.c */
bool dimg_blockattr(dev_t dev, const char *name, char *s, size_t len);
dev_t dimg_blockattr_dev(dev_t dev, const char *name);

/* uppers.c */
/**
 * struct dimg_upper - a mount of a file system on one of our devices
 * @dev: number of the device
 * @super: number of the file system; btrfs has its own
 * @id: of the mount
 * @fd: open on it, or negative; see dimg_uppers_open()
 * @own: it is in our own mount namespace
 * @target: where, as those in its namespace see it
 * @path: where, as we see it
 * @type: of the file system
 */
struct dimg_upper {
	dev_t dev;
	dev_t super;
	int id;
	int fd;
	bool own;
	char *target;
	char *path;
	char *type;
};

struct dimg_uppers {
	struct dimg_upper *v;
	size_t n;
};

int dimg_uppers_find(const struct dimg_devset *set, struct dimg_uppers *m);
int dimg_uppers_open(struct dimg_uppers *m, const struct dimg_upper **failed);
void dimg_uppers_free(struct dimg_uppers *m);
int dimg_holders_find_hidden(const struct dimg_devset *set,
			     const struct dimg_uppers *m, struct dimg_holders *h);

/* settle.c */
int dimg_settle(const struct dimg_device *dev, uint64_t since_us);
void dimg_close_written(int fd, const struct dimg_device *dev);
uint64_t dimg_now_us(void);

struct dimg_parting;

struct dimg_parting *dimg_parting_begin(const struct dimg_device *dev);
void dimg_parting_end(struct dimg_parting *p, bool gone);

/* run.c */
/**
 * struct dimg_run - an external program
 * @fd: descriptor that it inherits, for /proc/self/fd/N; 0 if none
 * @survives: it must not end in the middle: it goes on when the tool is killed,
 *	and Ctrl-C does not reach it
 * @status: its exit status; 128 + N when signal N killed it
 * @said: the end of what it wrote to stdout and stderr
 */
struct dimg_run {
	int fd;
	bool survives;
	int status;
	char said[4096];
};

int dimg_run_check(const char *program);
int dimg_run(char *const argv[], struct dimg_run *r);
uint64_t dimg_run_number(const struct dimg_run *r, const char *key);
void dimg_run_put_said(const struct dimg_run *r);
int dimg_run_fail(const char *subject, char *const argv[],
		  const struct dimg_run *r, const char *remedy);

/* progress.c */
enum dimg_progress_mode {
	DIMG_PROGRESS_AUTO,	/* a bar if stderr is a terminal */
	DIMG_PROGRESS_BAR,
	DIMG_PROGRESS_JSON,
	DIMG_PROGRESS_NONE,
};

struct dimg_progress {
	enum dimg_progress_mode mode;
	const char *what;
	uint64_t total;
	uint64_t done;
	uint64_t start_us;
	uint64_t shown_us;
};

int dimg_progress_option(const char *word, enum dimg_progress_mode *mode);
void dimg_progress_begin(struct dimg_progress *p, const char *what,
			 uint64_t total);
void dimg_progress_update(struct dimg_progress *p, uint64_t done);
void dimg_progress_end(struct dimg_progress *p, bool ok);

/* size.c */
/**
 * struct dimg_size_change - a new size, or a difference
 * @sign: + or -; 0 if @bytes is the size itself
 */
struct dimg_size_change {
	char sign;
	uint64_t bytes;
};

int dimg_size_parse(const char *arg, uint64_t *bytes);
int dimg_size_change_parse(const char *arg, struct dimg_size_change *c);
int dimg_size_change_apply(const struct dimg_size_change *c, uint64_t old,
			   uint64_t *bytes);

/* target.c */
/**
 * struct dimg_target - the name of a new image
 * @path: to make it at, links followed
 * @exists: a file has the name, and is to be replaced
 * @st: that file
 * @img: that file, open and locked
 * @writable: it is open for writing, too
 * @written: and by another program
 */
struct dimg_target {
	char *path;
	bool exists;
	struct stat st;
	struct dimg_image img;
	bool writable;
	bool written;
};

int dimg_target_open(const char *path, bool force, struct dimg_target *t);
int dimg_target_recheck(const struct dimg_target *t);
void dimg_target_close(struct dimg_target *t);

/* writer.c */
bool dimg_has_writer(const char *path);
int dimg_fail_writer(const char *path);

/* newfile.c */
/**
 * struct dimg_newfile - a file in the making
 * @path: of the file to be
 * @base: its last part
 * @dir_fd: its directory
 * @fd: the file
 * @mode: permissions that it will have with its name; only its owner is let in before
 * @narrowed: @mode is not what others would get by the umask, but less
 * @temp: name that the file has meanwhile; empty if it has none
 */
struct dimg_newfile {
	const char *path;
	const char *base;
	int dir_fd;
	int fd;
	mode_t mode;
	bool narrowed;
	char temp[256];
};

int dimg_newfile_open(struct dimg_newfile *f, const char *path);
int dimg_newfile_scratch(const struct dimg_newfile *f);
int dimg_newfile_narrow(struct dimg_newfile *f, int old_fd, mode_t mode, gid_t gid,
			bool take_group);
int dimg_newfile_publish(struct dimg_newfile *f, const struct dimg_target *t);
void dimg_newfile_close(struct dimg_newfile *f);

/* room.c */
uint64_t dimg_room(int fd, uint64_t want);

/* fill.c */
enum dimg_fill {
	DIMG_FILL_SPARSE,
	DIMG_FILL_ALLOCATE,
	DIMG_FILL_ZERO,
};

int dimg_fill_option(const char *word, enum dimg_fill *method);
int dimg_fill(const char *path, int fd, uint64_t size, enum dimg_fill method,
	      struct dimg_progress *p);

/* mkfs.c */
/**
 * struct dimg_mkfs - a file system to be made
 * @type: as mount -t takes it
 * @label, @uuid: NULL for none, and for a random one
 * @keep_blocks: leave allocated blocks allocated
 * @start: where its partition begins, in bytes; 0 without one
 */
struct dimg_mkfs {
	const char *type;
	const char *label;
	const char *uuid;
	bool keep_blocks;
	uint64_t start;
};

int dimg_mkfs_check(const struct dimg_mkfs *m);
int dimg_mkfs(const char *path, int fd, const struct dimg_mkfs *m);

/* copy.c */
/* Called now and then with the bytes that were passed. */
struct dimg_copy_watch {
	void (*passed)(void *arg, uint64_t bytes);
	void *arg;
};

int dimg_copy_data(int from, uint64_t size, int to, uint64_t to_pos);
int dimg_copy_data_watched(int from, uint64_t size, int to, uint64_t to_pos,
			   const struct dimg_copy_watch *w);

/* ptable.c: the only user of libfdisk */
int dimg_ptable_create(const char *path, int fd, const char *name, bool fat,
		       uint64_t *start, uint64_t *size);
uint64_t dimg_ptable_size(uint64_t start, uint64_t old, uint64_t end);
uint64_t dimg_ptable_size_smaller(uint64_t start, uint64_t old, uint64_t end);
bool dimg_ptable_is_gpt(int fd, uint32_t sector_size);
int dimg_ptable_mend(const char *path, int fd, uint32_t sector_size, bool *mended);
int dimg_ptable_set(const char *path, int fd, uint32_t sector_size,
		    struct dimg_partition *part, uint64_t old_size);
int dimg_ptable_draft(const char *path, int fd, int draft, uint32_t sector_size,
		      struct dimg_partition *part, uint64_t old_size);
int dimg_ptable_put(const char *path, int fd, int draft, uint32_t sector_size,
		    uint64_t size);
int dimg_ptable_tell(const char *path, int fd,
		     const struct dimg_partition *part);

/* privmount.c */
char *dimg_mountpoint(dev_t dev);
int dimg_with_mount(const char *node, const char *type,
		    int (*fn)(const char *dir, void *arg), void *arg);

/* mounted.c */
/**
 * struct dimg_mounted - one mount of our namespace
 * @dev: number of the file system; btrfs has one that no disk has
 * @remote: a server or a program answers for it, or does not
 * @source: node
 */
struct dimg_mounted {
	int id;
	int parent;
	dev_t dev;
	bool remote;
	char *source;
	char *target;
	char *type;
};

struct dimg_mounts {
	struct dimg_mounted *v;
	size_t n;
};

int dimg_mounts_load(struct dimg_mounts *mounts);
void dimg_mounts_free(struct dimg_mounts *mounts);
const struct dimg_mounted *dimg_mounted_on(const struct dimg_mounts *mounts,
					   const char *dir);
const struct dimg_mounted *dimg_mounted_below(const struct dimg_mounts *mounts,
					      const char *path);
int dimg_mounted_find_dir(const char *dir, struct dimg_mounted *found);
bool dimg_mounted_is_of(const struct dimg_mounted *m,
			const struct dimg_devset *set);
void dimg_mounted_free(struct dimg_mounted *m);

/* fsusers.c */
int dimg_fsusers_find(const struct dimg_mounts *mounts,
		      const struct dimg_mounted *m, struct dimg_holders *h);

/* mountopts.c */
/**
 * struct dimg_mountopts - what "-o" says
 * @rest: for libmount; NULL if there is nothing
 * @sloppy: set by the caller: unknown options are ignored
 * @read_only: ro, and no rw after it
 * @mkdir: libmount is to make the directory
 * @kept: values that struct dimg_attach points to
 */
struct dimg_mountopts {
	char *rest;
	bool sloppy;
	bool read_only;
	bool remount;
	bool nofail;
	bool mkdir;
	char **kept;
	size_t n_kept;
};

int dimg_mountopts_add(struct dimg_mountopts *o, const char *list,
		       struct dimg_attach *a);
void dimg_mountopts_free(struct dimg_mountopts *o);

/* mounting.c */
/**
 * struct dimg_mount - an image that is to be mounted
 * @source: image, device or name, as the user wrote it
 * @type: of the file system; NULL is what is found
 * @ns: mount namespace to mount in; NULL is ours
 * @fake: change nothing
 * @no_mtab: do not record options in /run
 * @helper: called by mount(8): remedies are said in its words
 * @already: set when it failed since it is mounted there already
 * @helper_code: set to mount(8)'s exit code of a mount that failed
 */
struct dimg_mount {
	const char *source;
	const char *dir;
	const char *type;
	const char *ns;
	bool fake;
	bool no_mtab;
	bool helper;
	bool already;
	int helper_code;
	struct dimg_mountopts opts;
	struct dimg_attach attach;
};

/**
 * struct dimg_mount_source - what is mounted
 * @node: set as soon as there is a device
 * @fd: image, or the node of a standing device, for reading
 * @offset: of the file system in @fd
 * @size: its bytes; 0 is to the end
 * @type: of the file system
 * @found: what libblkid says
 */
struct dimg_mount_source {
	char node[DIMG_NODE_LEN];
	int fd;
	uint64_t offset;
	uint64_t size;
	const char *type;
	bool read_only;
	uint64_t diskseq;
	unsigned int major;
	unsigned int minor;
	uint32_t block_size;
	struct dimg_probe found;
};

int dimg_mount_run(struct dimg_mount *m);

/* standing.c */
int dimg_standing_lock(const char *path);
int dimg_standing_find(struct dimg_nl *nl, struct dimg_mount *m,
		       struct dimg_mount_source *src);
void dimg_standing_close(struct dimg_mount_source *src);

/* unmountable.c */
int dimg_unmountable_damaged(const struct dimg_mount *m,
			     const struct dimg_mount_source *src);
int dimg_unmountable_contents(const struct dimg_mount *m,
			      const struct dimg_mount_source *src);
int dimg_unmountable_kernel(const struct dimg_mount *m,
			    const struct dimg_mount_source *src, int err,
			    const char *text);

/* mount.c */
int dimg_mount_type(struct dimg_mount *m, const char *type);

/* mounthelper.c */
extern atomic_bool dimg_mount_committed;
int dimg_mount_helper(int argc, char **argv);

/* farewell.c */
struct dimg_farewell;

struct dimg_farewell *dimg_farewell_begin(void);
int dimg_farewell_report(struct dimg_farewell *f, const struct dimg_device *dev);
void dimg_farewell_end(struct dimg_farewell *f);

/* unmounting.c */
/**
 * struct dimg_umount - one call of umount
 * @all: every attached device
 * @mounts: every mount of our namespace, newest last
 * @chosen: which of @mounts are to go
 * @of: for each of @mounts, index in @all of its device; -1 if it is not ours
 * @whole: for each of @all, the device itself was named, not just a directory
 */
struct dimg_umount {
	bool lazy;
	struct dimg_devices all;
	struct dimg_mounts mounts;
	bool *chosen;
	int *of;
	bool *whole;
};

int dimg_umount_run(struct dimg_umount *job);
/* subject.c */
/**
 * struct dimg_subject - an image, attached or not
 * @nl: NULL if the module is not loaded
 * @all: every attached device
 * @devs: those that are meant
 * @path: the file, if a file was given
 */
struct dimg_subject {
	struct dimg_nl *nl;
	struct dimg_devices all;
	struct dimg_devices devs;
	const char *path;
};

int dimg_subject_find(const char *arg, struct dimg_subject *s);
void dimg_subject_free(struct dimg_subject *s);

/* source.c */
/**
 * struct dimg_source - an image to copy from
 * @img: the image; or the device, if the image cannot be reached
 * @nodes: each of @set, open; NULL if the image is not attached
 * @mode: permissions that a copy may have
 * @gid: group that they are for
 * @set: devices of the image, partitions, and what is made of them
 * @mounts: what is mounted from them, open
 */
struct dimg_source {
	struct dimg_image img;
	int *nodes;
	mode_t mode;
	gid_t gid;
	struct dimg_devset set;
	struct dimg_uppers mounts;
};

int dimg_source_open(const struct dimg_subject *subject, struct dimg_source *s);
int dimg_source_flush(const struct dimg_source *s);
bool dimg_source_holds(const struct dimg_source *s, int fd);
int dimg_source_recheck(const struct dimg_source *s, const struct dimg_subject *subject);
void dimg_source_close(struct dimg_source *s);

/* freeze.c */
/**
 * struct dimg_freezer - the guardian of frozen file systems
 * @us: after dimg_thaw(), for how long they were frozen
 */
struct dimg_freezer {
	pid_t pid;
	int fd;
	uint64_t us;
};

int dimg_freeze(const struct dimg_uppers *m, struct dimg_freezer *f);
void dimg_freeze_alive(const struct dimg_freezer *f);
int dimg_thaw(const struct dimg_uppers *m, struct dimg_freezer *f);

/* below.c */
bool dimg_lies_on(const struct dimg_devices *all, const char *path,
		  const struct dimg_devset *set);

/* dig.c */
/**
 * struct dimg_dig - where to dig holes
 * @fd: image or device that is read and gets the holes
 * @size: bytes of it
 * @map_fd: a file that knows where its holes are, -1 if there is none
 * @map_offset: where byte 0 of @fd is in that file
 * @dry_run: only look
 * @leased: stop when the lease on @fd is about to be lost
 * @progress: updated with the bytes that were passed
 * @zeros: result, bytes of data that were zeros
 */
struct dimg_dig {
	int fd;
	uint64_t size;
	int map_fd;
	uint64_t map_offset;
	bool dry_run;
	bool leased;
	struct dimg_progress *progress;
	uint64_t zeros;
};

int dimg_dig_alone(struct dimg_dig *d, const char *path);
int dimg_dig(struct dimg_dig *d);

/* usage.c */
enum dimg_file_state {
	DIMG_FILE_UNKNOWN,
	DIMG_FILE_OK,
	DIMG_FILE_DELETED,
	DIMG_FILE_REPLACED,
	DIMG_FILE_UNREACHABLE,
};

/**
 * struct dimg_usage - the image behind a device
 * @is_file: the members below are known; a block device has none of them
 * @size: bytes of the file
 * @allocated: bytes that it takes on its disk
 * @overcommit: bytes that it may still take and that its disk does not have
 */
struct dimg_usage {
	enum dimg_file_state state;
	bool is_file;
	uint64_t size;
	uint64_t allocated;
	uint64_t overcommit;
};

void dimg_usage_of(const struct dimg_device *dev, struct dimg_usage *u);
int dimg_usage_open(const struct dimg_device *dev);
const char *dimg_file_state_text(enum dimg_file_state state);
int dimg_cell_virt(const struct dimg_device *dev, bool bytes, char **s);
int dimg_cell_alloc(const struct dimg_device *dev, bool bytes, char **s);
int dimg_cell_use(const struct dimg_device *dev, bool bytes, char **s);
int dimg_cell_overcommit(const struct dimg_device *dev, bool bytes, char **s);
int dimg_cell_file(const struct dimg_device *dev, bool bytes, char **s);

/* ioerror.c */
char *dimg_io_error_text(const struct dimg_io_error *e);
int dimg_cell_errors(const struct dimg_device *dev, bool bytes, char **s);
int dimg_cell_first_error(const struct dimg_device *dev, bool bytes, char **s);
int dimg_cell_last_error(const struct dimg_device *dev, bool bytes, char **s);

/* table.c */
struct dimg_table {
	bool json;
	bool raw;
	bool no_headings;
	bool bytes;
	const char *json_key;	/* of the array; NULL is "dimgdevices" */
	int columns[64];
	size_t n_columns;
};

/* Sets of columns: printed without -o; with --usage; all that there are. */
enum dimg_columns {
	DIMG_COLUMNS_STD = 1,
	DIMG_COLUMNS_USAGE = 2,
	DIMG_COLUMNS_ALL = 4,
};

void dimg_table_columns(struct dimg_table *t, enum dimg_columns set);
int dimg_table_parse_columns(struct dimg_table *t, const char *list);
int dimg_table_print(const struct dimg_table *t, const struct dimg_devices *devs);
void dimg_table_help(FILE *f);

/* losetup.c */
int dimg_losetup(int argc, char **argv);

/* tree.c */
int dimg_tree_print(const struct dimg_devices *all,
		    const struct dimg_devices *chosen, bool json, bool bytes);

/* one function per command file, called from the table in main.c */
int dimg_cmd_create(int argc, char **argv);
int dimg_cmd_attach(int argc, char **argv);
int dimg_cmd_apply(int argc, char **argv);
int dimg_cmd_detach(int argc, char **argv);
int dimg_cmd_mount(int argc, char **argv);
int dimg_cmd_umount(int argc, char **argv);
int dimg_cmd_list(int argc, char **argv);
int dimg_cmd_show(int argc, char **argv);
int dimg_cmd_resize(int argc, char **argv);
int dimg_cmd_set(int argc, char **argv);
int dimg_cmd_monitor(int argc, char **argv);
int dimg_cmd_compact(int argc, char **argv);
int dimg_cmd_snapshot(int argc, char **argv);

#endif /* DIMGSETUP_H */
