// SPDX-License-Identifier: GPL-2.0
/*
 * holders.c - owns the answer to "who uses this disk?": mounts in all mount
 * namespaces, swap, devices on top (dm, md, loop, dimgblk) and processes.
 *
 * Reads /proc and /sys, and mountinfo and swaps through libmount. Never opens
 * a device and never waits for a file system: a hung one may be the reason for
 * the question. What root alone may see is missing for others.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount.h>
#include <limits.h>
#include <linux/kcmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dimgsetup.h"

/**
 * struct descriptor - a descriptor that somebody has
 * @dev: what is open
 */
struct descriptor {
	pid_t pid;
	int fd;
	dev_t dev;
};

/**
 * struct search - one question
 * @set: the disk and its partitions
 * @namespaces: that were looked at
 * @n_mounts: mounts found so far
 * @mounted: what is mounted from, each once
 * @descriptors: one for each open
 */
struct search {
	struct dimg_devset set;
	struct dimg_holders *h;
	struct dimg_namespaces namespaces;
	size_t n_mounts;
	dev_t *mounted;
	size_t n_mounted;
	struct descriptor *descriptors;
	size_t n_descriptors;
};

/**
 * dimg_holders_add - append one sentence, control characters escaped
 *
 * Return: 0 or -ENOMEM.
 */
int dimg_holders_add(struct dimg_holders *h, const char *fmt, ...)
{
	char *plain, *escaped = NULL, **v;
	size_t len;
	va_list ap;
	FILE *f;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&plain, fmt, ap);
	va_end(ap);
	if (n < 0)
		return -ENOMEM;
	f = open_memstream(&escaped, &len);
	if (f) {
		dimg_fputs_escaped(plain, f);
		fclose(f);
	}
	free(plain);
	v = reallocarray(h->v, h->n + 1, sizeof(*v));
	if (v)
		h->v = v;
	if (!v || !escaped) {
		free(escaped);
		return -ENOMEM;
	}
	v[h->n++] = escaped;
	return 0;
}

/* Is the process in our own mount namespace? Then no need to name it. */
static bool is_own_namespace(const char *pid)
{
	char path[DIMG_PROC_PATH_LEN];
	struct stat own, other;

	snprintf(path, sizeof(path), "/proc/%s/ns/mnt", pid);
	return !stat("/proc/self/ns/mnt", &own) && !stat(path, &other) &&
	       own.st_ino == other.st_ino;
}

/* First line of a file of /proc or /sys, without the newline; false, and errno, if none. */
static bool read_line(const char *path, char *line, size_t len)
{
	FILE *f = fopen(path, "re");
	bool ok;
	int err;

	if (!f)
		return false;
	errno = 0;
	ok = fgets(line, len, f);
	err = errno;
	fclose(f);
	if (ok)
		line[strcspn(line, "\n")] = '\0';
	errno = err ?: ENOENT;
	return ok;
}

/* dimg_holders_comm - the name of a process, never empty; false, and errno, if it is gone. */
bool dimg_holders_comm(const char *pid, char *comm, size_t len)
{
	char path[DIMG_PROC_PATH_LEN];

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	if (read_line(path, comm, len))
		return true;
	snprintf(comm, len, "?");
	return false;
}

/* However often and wherever it is mounted, the kernel has opened it once. */
static void count_mount(struct search *s, dev_t dev)
{
	dev_t *v;
	size_t i;

	for (i = 0; i < s->n_mounted; i++)
		if (s->mounted[i] == dev)
			return;
	v = reallocarray(s->mounted, s->n_mounted + 1, sizeof(*v));
	if (!v)
		return;
	s->mounted = v;
	v[s->n_mounted++] = dev;
	s->h->n_opens++;
}

/* One open may be several descriptors, of several processes. What cannot be told counts as one. */
static void count_descriptor(struct search *s, const struct descriptor *d)
{
	struct descriptor *v = s->descriptors;
	size_t i;

	for (i = 0; i < s->n_descriptors; i++)
		if (v[i].dev == d->dev &&
		    syscall(SYS_kcmp, v[i].pid, d->pid, KCMP_FILE, v[i].fd, d->fd) <= 0)
			return;
	v = reallocarray(v, s->n_descriptors + 1, sizeof(*v));
	if (!v)
		return;
	s->descriptors = v;
	v[s->n_descriptors++] = *d;
	s->h->n_opens++;
}

/* Tell a mount; one that we do not see ourselves with the way to it. */
static int add_mount(struct search *s, struct libmnt_fs *fs, const char *pid)
{
	const char *target = mnt_fs_get_target(fs);
	const char *type = mnt_fs_get_fstype(fs);
	const char *source = mnt_fs_get_srcpath(fs);
	char comm[32];

	s->n_mounts++;
	if (is_own_namespace(pid))
		return dimg_holders_add(s->h, "%s is mounted on %s (%s): umount %s",
					source, target, type, target);
	dimg_holders_comm(pid, comm, sizeof(comm));
	return dimg_holders_add(s->h, "%s is mounted on %s (%s) in the mount namespace of process %s (%s)",
		   source, target, type, pid, comm);
}

/* Mounts of our nodes that process @pid sees. */
static int find_mounts(struct search *s, const char *pid)
{
	struct libmnt_table *tb;
	struct libmnt_iter *it;
	struct libmnt_fs *fs;
	dev_t dev;
	int ret = dimg_mountinfo_read(&s->namespaces, pid, &tb);

	if (ret || !tb)
		return ret;
	it = mnt_new_iter(MNT_ITER_FORWARD);
	if (!it)
		ret = -ENOMEM;
	while (!ret && !mnt_table_next_fs(tb, it, &fs)) {
		dev = dimg_devset_mounted(&s->set, fs);
		if (!dev)
			continue;
		count_mount(s, dev);
		ret = add_mount(s, fs, pid);
	}
	mnt_free_iter(it);
	mnt_unref_table(tb);
	return ret;
}

/* A descriptor with O_PATH is a name: nothing is open, nor any permission asked for. */
static bool is_path_only(const char *pid, const char *fd)
{
	char path[DIMG_PROC_PATH_LEN + NAME_MAX], line[128];
	unsigned int flags = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%s/fdinfo/%s", pid, fd);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f) && sscanf(line, "flags: %o", &flags) != 1)
		;
	if (f)
		fclose(f);
	return flags & O_PATH;
}

/* Descriptors of our nodes that process @pid has open. */
static int find_descriptors(struct search *s, const char *pid)
{
	struct dirent *entry;
	char path[DIMG_PROC_PATH_LEN], comm[32];
	struct statx stx;
	int ret = 0;
	DIR *d;

	/* whoever asks is not the answer */
	if (strtol(pid, NULL, 10) == getpid())
		return 0;
	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	d = opendir(path);
	if (!d)
		return dimg_is_out_of_sight(errno) ? 0 : -errno;
	while (!ret && (entry = dimg_readdir(d, &ret))) {
		if (*entry->d_name == '.')
			continue;
		/*
		 * DONT_SYNC: take what is cached, ask no server. Errors of file systems that
		 * are dead are those of other files: a node of a device has none.
		 */
		if (statx(dirfd(d), entry->d_name, AT_STATX_DONT_SYNC, STATX_TYPE, &stx)) {
			ret = errno == ENOMEM ? -ENOMEM : 0;
			continue;
		}
		if (!S_ISBLK(stx.stx_mode) ||
		    !dimg_devset_has(&s->set, makedev(stx.stx_rdev_major,
						      stx.stx_rdev_minor)) ||
		    is_path_only(pid, entry->d_name))
			continue;
		if (!dimg_holders_comm(pid, comm, sizeof(comm))) {
			ret = dimg_is_out_of_sight(errno) ? 0 : -errno;
			break;
		}
		count_descriptor(s, &(struct descriptor){
			.pid = strtol(pid, NULL, 10),
			.fd = strtol(entry->d_name, NULL, 10),
			.dev = makedev(stx.stx_rdev_major, stx.stx_rdev_minor),
		});
		if (dimg_is_of_udev(pid))
			s->h->n_udev++;
		ret = dimg_holders_add(s->h, "process %s (%s) has it open as descriptor %s",
				       pid, comm, entry->d_name);
	}
	closedir(d);
	return ret;
}

/* All processes: their mount namespaces and their descriptors. */
static int find_in_processes(struct search *s)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;
	int ret;

	if (!d)
		return -errno;
	/* our own namespace first, so that its mounts get the short sentence */
	ret = find_mounts(s, "self");
	while (!ret && (entry = dimg_readdir(d, &ret))) {
		if (!isdigit((unsigned char)*entry->d_name))
			continue;
		ret = find_mounts(s, entry->d_name);
		if (!ret)
			ret = find_descriptors(s, entry->d_name);
	}
	closedir(d);
	return ret;
}

/* Swap areas; their open is the kernel's own, no process shows it. */
static int find_swaps(struct search *s)
{
	struct libmnt_table *tb = mnt_new_table();
	struct libmnt_iter *it = mnt_new_iter(MNT_ITER_FORWARD);
	struct libmnt_fs *fs;
	int ret = tb && it ? mnt_table_parse_swaps(tb, NULL) : -ENOMEM;

	/* a kernel without swap has no such file */
	if (dimg_is_out_of_sight(-ret))
		ret = 0;
	else if (ret > 0)
		ret = -EIO;
	while (!ret && !mnt_table_next_fs(tb, it, &fs))
		if (dimg_devset_has_node(&s->set, mnt_fs_get_srcpath(fs))) {
			s->h->n_opens++;
			ret = dimg_holders_add(s->h, "%s is swap space: swapoff it",
					       mnt_fs_get_srcpath(fs));
		}
	mnt_free_iter(it);
	mnt_unref_table(tb);
	return ret;
}

typedef int (*path_fn)(struct search *s, const char *path);

/* Call @fn for each path that @pattern matches. */
static int visit_paths(struct search *s, const char *pattern, path_fn fn)
{
	size_t i;
	glob_t g;
	int ret = dimg_glob(pattern, &g);

	if (ret)
		return ret;
	for (i = 0; !ret && i < g.gl_pathc; i++)
		ret = fn(s, g.gl_pathv[i]);
	globfree(&g);
	return ret;
}

/* A device in a holders folder of sysfs: dm, md, bcache and so on. */
static int add_stacked(struct search *s, const char *path)
{
	const char *node = strrchr(path, '/') + 1;
	char file[PATH_MAX], name[256];

	snprintf(file, sizeof(file), "/sys/block/%s/dm/name", node);
	s->h->n_opens++;
	if (read_line(file, name, sizeof(name)))
		return dimg_holders_add(s->h, "/dev/%s (device mapper \"%s\") uses it", node, name);
	return dimg_holders_add(s->h, "/dev/%s uses it", node);
}

/* Its open may be that of a descriptor which whoever attached it has kept. */
static void count_loop(struct search *s, dev_t dev)
{
	size_t i;

	for (i = 0; i < s->n_descriptors; i++)
		if (s->descriptors[i].dev == dev)
			return;
	s->h->n_opens++;
}

/* The backing_file of another loop-like device: is it one of our nodes? */
static int add_loop(struct search *s, const char *path)
{
	char backing[PATH_MAX];
	const char *node = path + strlen("/sys/block/");
	dev_t dev;

	/* ENXIO and the like: it has been detached meanwhile */
	if (!read_line(path, backing, sizeof(backing)))
		return dimg_is_out_of_means(errno) ? -errno : 0;
	dev = dimg_devset_of_node(&s->set, backing);
	if (!dev)
		return 0;
	count_loop(s, dev);
	return dimg_holders_add(s->h, "/dev/%.*s is attached to it", (int)strcspn(node, "/"), node);
}

/* Other disks on top of ours. */
static int find_stacked(struct search *s)
{
	char pattern[128];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && i < s->set.n; i++) {
		snprintf(pattern, sizeof(pattern), "/sys/dev/block/%u:%u/holders/*",
			 major(s->set.v[i].dev), minor(s->set.v[i].dev));
		ret = visit_paths(s, pattern, add_stacked);
	}
	if (!ret)
		ret = visit_paths(s, "/sys/block/loop*/loop/backing_file",
				  add_loop);
	if (!ret)
		ret = visit_paths(s, "/sys/block/" DIMG_NODE_PREFIX "*/dimgblk/backing_file",
				  add_loop);
	return ret;
}

/* A file system's folder in sysfs: it is mounted where we cannot look. */
static int add_file_system(struct search *s, const char *path)
{
	const char *type = path + strlen("/sys/fs/");

	s->h->n_opens++;
	return dimg_holders_add(s->h,
		   "%s: a file system (%.*s) is mounted in a mount namespace that no visible process has, or was unmounted lazily and is still in use",
		   strrchr(path, '/') + 1, (int)strcspn(type, "/"), type);
}

/* Mounts that no mountinfo shows: namespaces held by a file only, or btrfs. */
static int find_hidden_mounts(struct search *s)
{
	char pattern[128];
	size_t i;
	int ret = 0;

	for (i = 0; !ret && !s->n_mounts && i < s->set.n; i++) {
		snprintf(pattern, sizeof(pattern), "/sys/fs/*/%s", s->set.v[i].node);
		ret = visit_paths(s, pattern, add_file_system);
		snprintf(pattern, sizeof(pattern), "/sys/fs/btrfs/*/devices/%s",
			 s->set.v[i].node);
		if (!ret)
			ret = visit_paths(s, pattern, add_file_system);
	}
	return ret;
}

/**
 * dimg_holders_find_hidden - find mounted file systems that no mountinfo shows
 * @set: devices
 * @m: what mountinfo shows of them
 * @h: filled in; give it to dimg_holders_free(), after a failure too
 *
 * Of namespaces that only a file holds, or unmounted lazily and still in use. Found
 * are those that tell of themselves in /sys/fs: ext4, xfs, btrfs, f2fs.
 *
 * Return: 0, also if there is none; or -errno.
 */
int dimg_holders_find_hidden(const struct dimg_devset *set,
			     const struct dimg_uppers *m, struct dimg_holders *h)
{
	struct search s = { .h = h };
	size_t i, k;
	int ret = 0;

	memset(h, 0, sizeof(*h));
	for (i = 0; !ret && i < set->n; i++) {
		/* one btrfs may have more devices than mountinfo names */
		for (k = 0; k < m->n; k++)
			if (m->v[k].dev == set->v[i].dev ||
			    !strcmp(m->v[k].type, "btrfs"))
				break;
		if (k < m->n)
			continue;
		s.set = (struct dimg_devset){ .v = &set->v[i], .n = 1 };
		ret = find_hidden_mounts(&s);
	}
	return ret;
}

/**
 * dimg_holders_find - find out who uses a disk or its partitions
 * @major, @minor: number of the disk
 * @h: filled in; give it to dimg_holders_free(), after a failure too
 *
 * Return: 0, also if nobody was found; -errno if the disk is not there, or if there are
 * places where it cannot be looked for: then there may be more than were found.
 */
int dimg_holders_find(unsigned int major, unsigned int minor,
		      struct dimg_holders *h)
{
	struct search s = { .h = h };
	int ret;

	memset(h, 0, sizeof(*h));
	ret = dimg_devset_load(major, minor, &s.set);
	if (!ret)
		ret = find_in_processes(&s);
	if (!ret)
		ret = find_swaps(&s);
	if (!ret)
		ret = find_stacked(&s);
	if (!ret)
		ret = find_hidden_mounts(&s);
	free(s.namespaces.v);
	free(s.mounted);
	free(s.descriptors);
	dimg_devset_free(&s.set);
	return ret;
}

/* dimg_holders_free - give back what was found; it is empty afterwards. */
void dimg_holders_free(struct dimg_holders *h)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		free(h->v[i]);
	free(h->v);
	memset(h, 0, sizeof(*h));
}
