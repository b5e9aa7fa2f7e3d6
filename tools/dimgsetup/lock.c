// SPDX-License-Identifier: GPL-2.0
/*
 * lock.c - owns the question who else uses an image as a disk: programs that
 * lock as QEMU does, and stock loop devices.
 *
 * QEMU's locks are open-file-description read locks on single bytes: byte
 * 100 + n says "I have permission n", 200 + n says "I deny it to others". One
 * takes the own locks, then looks for the opposite ones, and gives up if there
 * are any. The locks live as long as the open file, which the driver keeps: they
 * go at the detach, whoever has died before.
 *
 * Two dimgblk devices on one file are none of this file's business, the kernel
 * compares their ranges. To tell them from QEMU, our locks reach over bytes that
 * mean nothing to it; the shape of a lock shows whose it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "dimgsetup.h"

/* Permissions; 0, consistent read, is had by all and denied by nobody here. */
enum { PERM_READ, PERM_WRITE, PERM_WRITE_UNCHANGED, PERM_RESIZE };

#define BYTE_HAS		100
#define BYTE_DENIES		200
/* The marks: where our locks begin and end, and nobody else's. */
#define MARK_HAS_START		90
#define MARK_DENIES_END		250

/**
 * struct lock_line - one lock as the kernel lists it
 * @id: device and inode, in the kernel's words
 */
struct lock_line {
	char id[64];
	uint64_t start;
	uint64_t end;
};

/* Read a line of /proc/locks or, after "lock:", of fdinfo. */
static bool parse_line(const char *line, struct lock_line *l)
{
	unsigned long long start;
	char kind[16], end[32];

	if (sscanf(line, "%*[^:]: %15s %*s %*s %*s %63s %llu %31s", kind, l->id,
		   &start, end) != 4)
		return false;
	/* not those of flock(2), nor requests that wait: they begin with "->" */
	if (strcmp(kind, "OFDLCK") && strcmp(kind, "POSIX"))
		return false;
	l->start = start;
	l->end = strcmp(end, "EOF") ? strtoull(end, NULL, 10) : UINT64_MAX;
	return true;
}

static bool is_marked(const struct lock_line *l)
{
	return l->start == MARK_HAS_START ||
	       (l->start > BYTE_DENIES && l->end == MARK_DENIES_END);
}

static bool covers(const struct lock_line *l, const char *id, uint64_t byte)
{
	return !strcmp(l->id, id) && l->start <= byte && byte <= l->end;
}

/*
 * How the kernel calls this file in its lists. Not from stat(): btrfs tells
 * another device there. @id stays empty if it cannot be found out.
 */
static void get_id(int fd, char *id, size_t len)
{
	char path[64], line[256];
	struct lock_line l;
	FILE *f;

	*id = '\0';
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	f = fopen(path, "re");
	if (!f)
		return;
	while (!*id && fgets(line, sizeof(line), f))
		if (!strncmp(line, "lock:", 5) && parse_line(line + 5, &l))
			snprintf(id, len, "%s", l.id);
	fclose(f);
}

/* Locks of the file on @byte: our kind in *@marked, others in *@others. */
static void count_locks(const char *id, uint64_t byte, size_t *marked,
			size_t *others)
{
	FILE *f = fopen("/proc/locks", "re");
	struct lock_line l;
	char line[256];

	*marked = 0;
	*others = 0;
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (!parse_line(line, &l) || !covers(&l, id, byte))
			continue;
		if (is_marked(&l))
			++*marked;
		else
			++*others;
	}
	fclose(f);
}

/*
 * Somebody has a lock on @byte: is it somebody else than other devices of ours?
 * One that is not in the list is of another machine, or of a namespace that is
 * not to be seen. @mine: one of the marked locks there is our own.
 */
static bool is_foreign(const char *id, uint64_t byte, bool mine)
{
	size_t marked, others;
	int i;

	/* twice: a list that changes while it is read may skip a line */
	for (i = 0; i < 2; i++) {
		count_locks(id, byte, &marked, &others);
		if (others || marked <= mine)
			return true;
	}
	return false;
}

static int set_lock(int fd, short type, uint64_t start, uint64_t end)
{
	struct flock lock = {
		.l_type = type, .l_whence = SEEK_SET,
		.l_start = start, .l_len = end - start + 1,
	};

	return fcntl(fd, F_OFD_SETLK, &lock) ? -errno : 0;
}

static bool is_locked(int fd, uint64_t byte)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET,
		.l_start = byte, .l_len = 1,
	};

	return !fcntl(fd, F_OFD_GETLK, &lock) && lock.l_type != F_UNLCK;
}

static void drop_locks(int fd)
{
	set_lock(fd, F_UNLCK, MARK_HAS_START,
		 BYTE_HAS + PERM_RESIZE);
	set_lock(fd, F_UNLCK, BYTE_DENIES, MARK_DENIES_END);
}

/*
 * A writable device has all permissions, write and resize too, since a write
 * may extend a file that was cut off. All deny others what changes the bytes.
 */
static int take_locks(int fd, bool read_only)
{
	int ret;

	ret = set_lock(fd, F_RDLCK, read_only ? BYTE_HAS : MARK_HAS_START,
		       BYTE_HAS + (read_only ? PERM_READ : PERM_RESIZE));
	if (!ret)
		ret = set_lock(fd, F_RDLCK, BYTE_DENIES + PERM_WRITE,
			       MARK_DENIES_END);
	/* what dimg_lock_alone() has in between */
	return ret ? ret : set_lock(fd, F_UNLCK, BYTE_HAS + PERM_RESIZE + 1,
				    BYTE_DENIES + PERM_WRITE - 1);
}

/* The first byte on which somebody stands against us; 0 if nobody does. */
static uint64_t find_conflict(int fd, const char *id, bool read_only)
{
	uint64_t byte;
	int perm;

	for (perm = PERM_READ; perm <= PERM_RESIZE; perm++) {
		/* first: to make do with reading does not help against these */
		byte = BYTE_HAS + perm;
		if (perm != PERM_READ && is_locked(fd, byte) &&
		    is_foreign(id, byte, !read_only))
			return byte;
	}
	for (perm = PERM_READ; perm <= PERM_RESIZE; perm++) {
		byte = BYTE_DENIES + perm;
		if ((!read_only || perm == PERM_READ) && is_locked(fd, byte) &&
		    is_foreign(id, byte, perm != PERM_READ))
			return byte;
	}
	return 0;
}

/* Does a descriptor, as fdinfo tells it, hold a lock on @byte that is not ours? */
static bool has_lock(const char *path, const char *id, uint64_t byte)
{
	FILE *f = fopen(path, "re");
	struct lock_line l;
	bool found = false;
	char line[256];

	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "lock:", 5) &&
			parse_line(line + 5, &l) && covers(&l, id, byte) &&
			!is_marked(&l);
	fclose(f);
	return found;
}

static void print_process(pid_t pid)
{
	char path[64], comm[64] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/comm", pid);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(comm, sizeof(comm), f))
			*comm = '\0';
		fclose(f);
	}
	comm[strcspn(comm, "\n")] = '\0';
	fputs("  process ", stderr);
	dimg_fputs_escaped(*comm ? comm : "?", stderr);
	fprintf(stderr, " (pid %d)\n", pid);
}

/* Name the processes that hold the lock; some may not be seen from here. */
static void print_lockers(const char *id, uint64_t byte)
{
	glob_t g;
	size_t i;
	int last = 0, pid;

	if (glob("/proc/[0-9]*/fdinfo/*", GLOB_NOSORT, NULL, &g))
		return;
	for (i = 0; i < g.gl_pathc; i++) {
		if (sscanf(g.gl_pathv[i], "/proc/%d/", &pid) != 1 ||
		    pid == last || !has_lock(g.gl_pathv[i], id, byte))
			continue;
		print_process(pid);
		last = pid;
	}
	globfree(&g);
}

static int fail_locked(const struct dimg_image *img, const char *id,
		       uint64_t byte, bool read_only, bool attaching)
{
	dimg_say(img->path,
		 "is in use by a virtual machine, or by another program that locks images as QEMU does; it %s:",
		 byte >= BYTE_DENIES ? "allows no others to write" : "writes to the image");
	print_lockers(id, byte);
	fprintf(stderr, "End that program first%s.%s\n",
		attaching && !read_only && byte >= BYTE_DENIES ? ", or attach with -r" : "",
		attaching ? " --no-lock attaches in spite of it, and risks the data." : "");
	return DIMG_EXIT_REFUSED;
}

/* @attaching: there are remedies that only commands that attach have. */
static int lock_image(const struct dimg_image *img, bool read_only, bool attaching)
{
	uint64_t byte;
	char id[64];
	int ret;

	ret = take_locks(img->fd, read_only);
	if (ret && ret != -EAGAIN && ret != -EACCES) {
		drop_locks(img->fd);
		dimg_note(img->path, "is not locked against virtual machines: %s",
			  strerror(-ret));
		return 0;
	}
	get_id(img->fd, id, sizeof(id));
	/* an exclusive lock by whomever is as good as a denial */
	byte = ret ? BYTE_DENIES + PERM_WRITE :
		find_conflict(img->fd, id, read_only);
	if (!byte)
		return 0;
	drop_locks(img->fd);
	return fail_locked(img, id, byte, read_only, attaching);
}

/**
 * dimg_lock_image - lock an image as QEMU does
 * @img: open; the locks belong to the open file, so also to the driver that
 *	gets it, and go with the last of the two
 *
 * Return: 0, also where the file system knows no such locks; or an exit code
 * after the reason has been printed; no lock is left then.
 */
int dimg_lock_image(const struct dimg_image *img, bool read_only)
{
	return lock_image(img, read_only, true);
}

/**
 * dimg_lock_alone - keep everybody else from an image, devices of ours too
 * @img: open for writing; the lock goes when it is closed
 *
 * Return: 0, also where the file system knows no such locks; or an exit code
 * after the reason has been printed.
 */
int dimg_lock_alone(const struct dimg_image *img)
{
	/* names virtual machines, if that is what has it */
	int ret = lock_image(img, false, false);

	if (ret)
		return ret;
	ret = set_lock(img->fd, F_WRLCK, MARK_HAS_START, MARK_DENIES_END);
	if (ret != -EAGAIN && ret != -EACCES)
		return 0;
	dimg_say(img->path, "is in use: it is attached, or another program has it locked\n"
		 "\"dimgsetup list\" shows to root what is attached; detach it, or end that program.");
	return DIMG_EXIT_BUSY;
}

/**
 * dimg_lock_still - keep an image from being written to, by devices of ours too
 * @img: open for reading; the lock goes when it is closed
 *
 * Return: 0, also where the file system knows no such locks; or an exit code
 * after the reason has been printed.
 */
int dimg_lock_still(const struct dimg_image *img)
{
	int ret = lock_image(img, true, false);

	if (ret)
		return ret;
	/* without the marks: the next attach is to take it for a foreign one */
	drop_locks(img->fd);
	set_lock(img->fd, F_RDLCK, BYTE_DENIES + PERM_WRITE,
		 BYTE_DENIES + PERM_RESIZE);
	if (!is_locked(img->fd, BYTE_HAS + PERM_WRITE))
		return 0;
	drop_locks(img->fd);
	dimg_say(img->path, "is attached, and may be written to at any moment\n"
		 "Run it as root (sudo), who may see which device that is.");
	return DIMG_EXIT_BUSY;
}

/*
 * May the file be asked who it is? One on a server or in a program that is dead answers
 * no one, and would hang each attach. It is the image only if that is there, too: then
 * the wait is for the image. Only of these does mountinfo tell the number that stat()
 * has.
 */
static bool may_ask(const char *path, const struct stat *image,
		    const struct dimg_mounts *mounts)
{
	const struct dimg_mounted *m = dimg_mounted_below(mounts, path);

	return !m || !m->remote || m->dev == image->st_dev;
}

/* Is what stock loop calls its backing file the image? 1 if so, 0 if not, or -errno. */
static int is_backing(const char *attribute, const struct stat *image,
		      const struct dimg_mounts *mounts)
{
	FILE *f = fopen(attribute, "re");
	char path[4096] = "";
	struct stat st;

	/* ENXIO and the like: it has been detached meanwhile */
	if (!f)
		return dimg_is_out_of_means(errno) ? -errno : 0;
	if (!fgets(path, sizeof(path), f))
		*path = '\0';
	fclose(f);
	path[strcspn(path, "\n")] = '\0';
	if (!may_ask(path, image, mounts) || stat(path, &st) ||
	    (st.st_mode & S_IFMT) != (image->st_mode & S_IFMT))
		return 0;
	if (S_ISBLK(st.st_mode))
		return st.st_rdev == image->st_rdev;
	return st.st_ino == image->st_ino && st.st_dev == image->st_dev;
}

/**
 * dimg_lock_check_loop - refuse an image that a stock loop device has
 *
 * The two would write to one file without knowing of each other: loop takes no
 * locks, and the driver sees its own devices only. Waits for no file system but that
 * of the image.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_lock_check_loop(const struct dimg_image *img)
{
	struct dimg_mounts mounts;
	char node[32] = "";
	struct stat st;
	glob_t g;
	size_t i;
	int ret;

	if (fstat(img->fd, &st))
		return dimg_fail_errno(img->path, -errno, "");
	ret = dimg_glob("/sys/block/loop*/loop/backing_file", &g);
	if (ret)
		return dimg_fail_errno(img->path, ret, "cannot find out whether a loop device has it");
	/* without the list nothing is known of any path, and all are asked */
	dimg_mounts_load(&mounts);
	for (i = 0; i < g.gl_pathc && !ret; i++) {
		ret = is_backing(g.gl_pathv[i], &st, &mounts);
		if (ret > 0)
			sscanf(g.gl_pathv[i], "/sys/block/%31[^/]", node);
	}
	dimg_mounts_free(&mounts);
	globfree(&g);
	if (ret < 0)
		return dimg_fail_errno(img->path, ret, "cannot find out whether a loop device has it");
	if (!ret)
		return 0;
	dimg_say(img->path, "is attached as /dev/%s, which knows nothing of other devices on the same file\n"
		 "Detach that first: \"losetup -d /dev/%s\"; or attach with -r, or say --allow-overlap if the two are known to keep out of each other's way.",
		 node, node);
	return DIMG_EXIT_REFUSED;
}
