// SPDX-License-Identifier: GPL-2.0
/*
 * newfile.c - owns files in the making: nobody sees one before it is complete,
 * and one that is not completed leaves nothing behind.
 *
 * Where the file system has it, the file has no name until the end (O_TMPFILE),
 * so that not even kill -9 leaves a trace. Elsewhere it has the temporary name
 * .NAME.dimgsetup-new in the same directory, removed whenever the tool ends but
 * by kill -9; the next attempt removes it then, since nobody holds its lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "dimgsetup.h"

#define TEMP_SUFFIX	".dimgsetup-new"
#define FD_PATH_LEN	32
#define ACCESS_ACL	"system.posix_acl_access"
#define DEFAULT_ACL	"system.posix_acl_default"

/* What the signal handler has to remove; a command makes one file at a time. */
static const struct dimg_newfile *current;

/* The file has its name: what comes now undoes nothing. Set with signals blocked. */
static bool is_published;

static const int fatal_signals[] = { SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE };

/* Async-signal-safe calls only. */
static void on_signal(int sig)
{
	static const char nothing[] = "\ndimgsetup: interrupted, nothing was made\n";
	static const char made[] = "\ndimgsetup: interrupted, but the file is complete\n";
	ssize_t n = 0;

	if (current && current->temp[0])
		unlinkat(current->dir_fd, current->temp, 0);
	if (sig != SIGPIPE)
		n = is_published ? write(STDERR_FILENO, made, sizeof(made) - 1) :
			write(STDERR_FILENO, nothing, sizeof(nothing) - 1);
	if (n < 0)
		_exit(128 + sig);
	/* the parent must see which signal it was; SA_RESETHAND has reset it */
	raise(sig);
}

static void catch_signals(const struct dimg_newfile *f)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESETHAND };
	struct sigaction old;
	size_t i;

	current = f;
	for (i = 0; i < sizeof(fatal_signals) / sizeof(*fatal_signals); i++) {
		/* nohup and its like are respected */
		if (!sigaction(fatal_signals[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(fatal_signals[i], &sa, NULL);
	}
	/* ulimit -f: the errno says it better */
	signal(SIGXFSZ, SIG_IGN);
}

static void block_signals(int how)
{
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(fatal_signals) / sizeof(*fatal_signals); i++)
		sigaddset(&set, fatal_signals[i]);
	sigprocmask(how, &set, NULL);
}

/* Split the path; the directory is held open, it may be renamed meanwhile. */
static int open_directory(struct dimg_newfile *f)
{
	const char *slash = strrchr(f->path, '/');
	char *dir;

	dir = slash ? strndup(f->path, slash - f->path + 1) : strdup(".");
	if (!dir)
		return -ENOMEM;
	f->base = slash ? slash + 1 : f->path;
	f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(dir);
	if (f->dir_fd < 0)
		return -errno;
	return *f->base ? 0 : -EISDIR;
}

/* The temporary name, cut so that it is a valid one. */
static void make_temp_name(struct dimg_newfile *f)
{
	snprintf(f->temp, sizeof(f->temp), ".%.*s%s",
		 (int)(NAME_MAX - strlen(TEMP_SUFFIX) - 1), f->base, TEMP_SUFFIX);
}

/* Does the temporary name still belong to what @fd has open? */
static bool is_same(const struct dimg_newfile *f, int fd)
{
	struct stat a, b;

	return !fstat(fd, &a) &&
	       !fstatat(f->dir_fd, f->temp, &b, AT_SYMLINK_NOFOLLOW) &&
	       a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Remove what a killed attempt left; -EBUSY if somebody is still at it. */
static int remove_stale(const struct dimg_newfile *f)
{
	int fd = openat(f->dir_fd, f->temp, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
			O_NONBLOCK), ret = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (flock(fd, LOCK_EX | LOCK_NB))
		ret = -EBUSY;
	else if (is_same(f, fd) && unlinkat(f->dir_fd, f->temp, 0))
		ret = -errno;
	close(fd);
	return ret;
}

/* A file with the temporary name, locked; 0 or -errno. */
static int open_named(struct dimg_newfile *f)
{
	int ret;

	make_temp_name(f);
	for (;;) {
		f->fd = openat(f->dir_fd, f->temp,
			       O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, f->mode);
		/* somebody may take it for stale before it is locked */
		if (f->fd >= 0 && !flock(f->fd, LOCK_EX | LOCK_NB) &&
		    is_same(f, f->fd))
			return 0;
		ret = f->fd >= 0 || errno == EEXIST ? remove_stale(f) : -errno;
		if (f->fd >= 0)
			close(f->fd);
		f->fd = -1;
		if (ret)
			break;
	}
	f->temp[0] = '\0';
	return ret;
}

static int open_unnamed(const struct dimg_newfile *f)
{
	int fd = openat(f->dir_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, f->mode);

	return fd < 0 ? -errno : fd;
}

/* Errors that mean "this file system has no O_TMPFILE". */
static bool lacks_tmpfile(int err)
{
	return err == EOPNOTSUPP || err == EISDIR || err == ENOENT ||
	       err == EINVAL;
}

/*
 * Permissions to begin with: nobody else is let in before the file is complete. Not so
 * where the directory has permissions for its files, which the kernel makes fit: they take
 * the place of the umask.
 */
static mode_t first_mode(const struct dimg_newfile *f)
{
	return fgetxattr(f->dir_fd, DEFAULT_ACL, NULL, 0) > 0 ? 0666 : 0600;
}

/* And to end with. */
static mode_t last_mode(const struct dimg_newfile *f)
{
	struct stat st;
	mode_t mask;

	if (f->mode != 0600)
		return fstat(f->fd, &st) ? 0600 : st.st_mode & 0777;
	mask = umask(0);
	umask(mask);
	return 0666 & ~mask;
}

/**
 * dimg_newfile_open - begin to make a file
 * @path: of the file to be; that it exists already matters only at the end
 * @f: filled in; give it to dimg_newfile_close()
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_newfile_open(struct dimg_newfile *f, const char *path)
{
	struct dimg_error e;
	int ret;

	memset(f, 0, sizeof(*f));
	f->path = path;
	f->fd = -1;
	ret = open_directory(f);
	if (!ret) {
		catch_signals(f);
		f->mode = first_mode(f);
		f->fd = open_unnamed(f);
		if (f->fd < 0)
			ret = lacks_tmpfile(-f->fd) ? open_named(f) : f->fd;
	}
	if (!ret) {
		f->mode = last_mode(f);
		return 0;
	}
	dimg_newfile_close(f);
	if (ret == -EBUSY) {
		dimg_say(path, "another process is making this file\nWait for it, or end it.");
		return DIMG_EXIT_BUSY;
	}
	dimg_error_set(&e, -ret, "the directory does not take a new file");
	return dimg_fail(path, &e);
}

/**
 * dimg_newfile_scratch - a nameless file beside the one in the making
 *
 * Return: a descriptor; -1 after the reason has been printed.
 */
int dimg_newfile_scratch(const struct dimg_newfile *f)
{
	struct dimg_newfile s = *f;
	struct dimg_error e;
	int fd = open_unnamed(f);

	if (fd < 0 && lacks_tmpfile(-fd)) {
		snprintf(s.temp, sizeof(s.temp), ".%d.dimgsetup-scratch", getpid());
		fd = openat(f->dir_fd, s.temp,
			    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			fd = -errno;
		else
			unlinkat(f->dir_fd, s.temp, 0);
	}
	if (fd >= 0)
		return fd;
	dimg_error_set(&e, -fd, "cannot make a scratch file beside it");
	dimg_fail(f->path, &e);
	return -1;
}

/* With an ACL what looks like the group's permissions is an upper bound of several. */
static bool has_acl(int fd)
{
	if (fd < 0)
		return false;
	/* who cannot look does not know */
	return fgetxattr(fd, ACCESS_ACL, NULL, 0) >= 0 ||
	       (errno != ENODATA && errno != EOPNOTSUPP);
}

/* We have just made the file, so being root is not what EPERM wants. */
static int fail_mode(const struct dimg_newfile *f, int err)
{
	if (err != EPERM && err != EOPNOTSUPP)
		return dimg_fail_errno(f->path, -err, "cannot set its mode");
	dimg_say(f->path, "the file system there lets no modes be set: %s\nChoose a place on another one.",
		 strerror(err));
	return DIMG_EXIT_REFUSED;
}

/**
 * dimg_newfile_narrow - let nobody in who may not read another file
 * @old_fd: that file, or -1
 * @mode: of that file
 * @gid: its group
 * @take_group: try to have the same group
 *
 * Permissions that the umask has taken away do not come back. ACLs are not copied: where
 * there is one, here or there, only the owner is let in.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_newfile_narrow(struct dimg_newfile *f, int old_fd, mode_t mode, gid_t gid,
			bool take_group)
{
	struct stat st, now, old;
	mode_t both;
	int err;

	if (fstat(f->fd, &st))
		return dimg_fail_errno(f->path, -errno, "");
	/*
	 * At once: what the directory or its ACL lets in here may have been kept out there.
	 * And who cannot set a mode is told before the work.
	 */
	err = fchmod(f->fd, 0600) ? -errno : 0;
	if (take_group && st.st_gid != gid && fchown(f->fd, -1, gid))
		errno = 0;	/* what has come of it counts: FAT may call all a success */
	if (fstat(f->fd, &now))
		return dimg_fail_errno(f->path, -errno, "");
	/* it may keep somebody out whom the permissions of others would let in */
	if (has_acl(old_fd) || has_acl(f->fd))
		mode &= 0700;
	if (has_acl(f->fd))
		fremovexattr(f->fd, ACCESS_ACL);
	if (now.st_gid != gid) {
		/* its group are others here, and ours were others there */
		both = mode >> 3 & mode & 07;
		mode &= 0700 | both << 3 | both;
	}
	/* FAT keeps its modes and calls that a success; that an image can be executed is nothing */
	if (!err && now.st_mode & 066 & ~mode) {
		dimg_say(f->path, "the file system there has permissions of its own, which let others read or write what is kept from them now\n"
			 "Choose a place on another one, or mount it with a narrower umask.");
		return DIMG_EXIT_REFUSED;
	}
	/* of FAT and NFS, which may have an owner of their own */
	if (now.st_uid != geteuid() && !(mode & 04) &&
	    (old_fd < 0 || fstat(old_fd, &old) || now.st_uid != old.st_uid)) {
		dimg_say(f->path, "the file system there gives it to user %u, who may not read what is kept from others now\n"
			 "Choose a place on another one, or mount it with another owner.",
			 now.st_uid);
		return DIMG_EXIT_REFUSED;
	}
	mode &= f->mode;
	if (err && (st.st_mode & 07777) != mode)
		return fail_mode(f, -err);
	f->narrowed = true;
	f->mode = mode;
	return 0;
}

/* Let in who is to be; before the file has its name. 0 or -errno. */
static int open_up(const struct dimg_newfile *f)
{
	struct stat st;

	if (!fstat(f->fd, &st) && (st.st_mode & 07777) == f->mode)
		return 0;
	/* some file systems have their own idea of permissions */
	return fchmod(f->fd, f->mode) && f->narrowed ? -errno : 0;
}

/* Is it the file @st that has the name? */
static bool has_name(const struct dimg_newfile *f, const struct stat *st)
{
	struct stat now;

	return !fstatat(f->dir_fd, f->base, &now, AT_SYMLINK_NOFOLLOW) &&
	       now.st_dev == st->st_dev && now.st_ino == st->st_ino;
}

/* Give the file its name, which nobody may have; 0 or -errno. */
static int publish_new(struct dimg_newfile *f, const char *fd_path)
{
	struct stat st;
	int fd, ret;

	if (!f->temp[0])
		return linkat(AT_FDCWD, fd_path, f->dir_fd, f->base,
			      AT_SYMLINK_FOLLOW) ? -errno : 0;
	if (!renameat2(f->dir_fd, f->temp, f->dir_fd, f->base, RENAME_NOREPLACE))
		return 0;
	if (errno != EINVAL)
		return -errno;
	/* take the name with an empty file first, so that nothing is lost */
	fd = openat(f->dir_fd, f->base, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
		    0666);
	if (fd < 0)
		return -errno;
	ret = renameat(f->dir_fd, f->temp, f->dir_fd, f->base) ? -errno : 0;
	if (ret && !fstat(fd, &st) && !st.st_size && has_name(f, &st))
		unlinkat(f->dir_fd, f->base, 0);
	close(fd);
	return ret;
}

/* Errors that mean "this file system cannot exchange two names". */
static bool lacks_exchange(int err)
{
	return err == EINVAL || err == EOPNOTSUPP;
}

static int exchange(const struct dimg_newfile *f)
{
	return renameat2(f->dir_fd, f->temp, f->dir_fd, f->base,
			 RENAME_EXCHANGE) ? -errno : 0;
}

/* Let the file have a temporary name, if it has none; 0 or -errno. */
static int give_temp_name(struct dimg_newfile *f, const char *fd_path)
{
	int ret;

	if (f->temp[0])
		return 0;
	make_temp_name(f);
	/* the next attempt must not take it for stale */
	flock(f->fd, LOCK_EX | LOCK_NB);
	ret = remove_stale(f);
	if (!ret && linkat(AT_FDCWD, fd_path, f->dir_fd, f->temp,
			   AT_SYMLINK_FOLLOW))
		ret = -errno;
	if (ret)
		f->temp[0] = '\0';
	return ret;
}

/*
 * The exchange has brought out another file than the one that was to be replaced: put
 * it back. Return: -EEXIST; or -ESTALE if the name has changed hands once more: the
 * newest file has it then, and what had it in between is under the temporary name, as
 * it is nobody's to remove.
 */
static int put_back(struct dimg_newfile *f)
{
	int ret = exchange(f);

	if (!ret && is_same(f, f->fd))
		return -EEXIST;
	if (!ret)
		exchange(f);
	f->temp[0] = '\0';
	return -ESTALE;
}

/*
 * Put the file in the place of @old, at once; 0 or -errno. Another file may get the
 * name at any moment. An exchange loses none of them: what comes out is looked at
 * before it is removed.
 */
static int publish_over(struct dimg_newfile *f, const char *fd_path,
			const struct dimg_target *t)
{
	int ret = give_temp_name(f, fd_path);

	if (!ret && !has_name(f, &t->st))
		ret = -EEXIST;
	if (ret)
		return ret;
	ret = exchange(f);
	if (!ret)
		return is_same(f, t->img.fd) ? 0 : put_back(f);
	/* removed a moment ago */
	if (ret == -ENOENT)
		return publish_new(f, fd_path);
	if (!lacks_exchange(-ret))
		return ret;
	/* the last moment; whoever comes now is lost on such a file system */
	if (!has_name(f, &t->st))
		return -EEXIST;
	return renameat(f->dir_fd, f->temp, f->dir_fd, f->base) ? -errno : 0;
}

/**
 * dimg_newfile_publish - make the finished file appear under its name
 * @t: the name, and the file whose place it may take
 *
 * File and directory are on the disk when it returns 0.
 *
 * Return: 0, or an exit code after the reason has been printed.
 */
int dimg_newfile_publish(struct dimg_newfile *f, const struct dimg_target *t)
{
	struct dimg_newfile kept = *f;
	char fd_path[FD_PATH_LEN];
	struct dimg_error e;
	int ret;

	snprintf(fd_path, sizeof(fd_path), "/proc/self/fd/%d", f->fd);
	ret = open_up(f);
	if (ret)
		return fail_mode(f, -ret);
	if (fsync(f->fd)) {
		dimg_error_set(&e, errno, "the new file cannot be written out");
		return dimg_fail(f->path, &e);
	}
	ret = dimg_target_recheck(t);
	if (ret)
		return ret;
	block_signals(SIG_BLOCK);
	/* the old one may have been removed meanwhile */
	ret = t->exists && !faccessat(f->dir_fd, f->base, F_OK, AT_SYMLINK_NOFOLLOW) ?
		publish_over(f, fd_path, t) : publish_new(f, fd_path);
	if (!ret) {
		/* has the old file, after an exchange */
		if (f->temp[0])
			unlinkat(f->dir_fd, f->temp, 0);
		f->temp[0] = '\0';
		is_published = true;
	}
	block_signals(SIG_UNBLOCK);
	if (!ret && fsync(f->dir_fd) && errno != EINVAL) {
		dimg_error_set(&e, errno, "the file is complete, but its directory cannot be written out");
		return dimg_fail(f->path, &e);
	}
	if (!ret)
		return 0;
	if (ret == -EEXIST) {
		dimg_say(f->path, "another file of this name has appeared meanwhile; it was left as it is\n"
			 "Choose another name, or repeat the command with --force.");
		return DIMG_EXIT_REFUSED;
	}
	if (ret == -ESTALE) {
		make_temp_name(&kept);
		dimg_say(f->path, "other files have got this name twice meanwhile; one of them is beside it now, as %s\n"
			 "Move it away before the next attempt, which takes it for a rest of this one.",
			 kept.temp);
		return DIMG_EXIT_REFUSED;
	}
	dimg_error_set(&e, -ret, "the new file cannot be given its name");
	return dimg_fail(f->path, &e);
}

/* dimg_newfile_close - the end; a file that was not published is gone. */
void dimg_newfile_close(struct dimg_newfile *f)
{
	block_signals(SIG_BLOCK);
	if (f->temp[0])
		unlinkat(f->dir_fd, f->temp, 0);
	f->temp[0] = '\0';
	current = NULL;
	block_signals(SIG_UNBLOCK);
	if (f->fd >= 0)
		close(f->fd);
	if (f->dir_fd > 0)
		close(f->dir_fd);
	f->fd = -1;
	f->dir_fd = -1;
}
