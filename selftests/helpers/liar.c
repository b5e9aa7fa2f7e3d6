// SPDX-License-Identifier: GPL-2.0
/*
 * A file system with one file, "image", that passes everything through to
 * another file but for what a control file tells it to answer instead: the liar
 * and the tar pit. It is read again for each operation, so a test changes the
 * answers by writing it.
 *
 * usage: liar [-d] BACKING CONTROL MOUNTPOINT
 *   -d  no page cache above it: each read and write of the kernel arrives here
 * It goes into the background when it is mounted; CONTROL.pid holds its PID.
 *
 * CONTROL has lines OP ANSWER [BYTE]; OP is read, write, fsync, fallocate or
 * getattr, ANSWER one of
 *   ERRNO   a name such as EIO, or a number
 *   short   half of what was asked for, in sectors; a single sector is served
 *   odd     1000 bytes at most
 *   zero    nothing
 *   stall   none until the line is gone
 * With BYTE the answer is for bytes of the file from there on: what comes before
 * is served, so that a request is cut there.
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fuse.h>

#define IMAGE	"/image"
#define ODD	1000
#define SECTOR	512

static int backing = -1, control = -1;
static char *pid_path;
static int no_cache;

/* What CONTROL says of one operation; word is empty when it says nothing. */
struct answer {
	char word[32];
	off_t from;
};

static void look_up(const char *op, struct answer *a)
{
	char buf[512], name[32], word[32], *line, *rest = buf;
	long long from;
	ssize_t n;

	*a = (struct answer){ 0 };
	n = pread(control, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		from = 0;
		if (sscanf(line, "%31s %31s %lld", name, word, &from) < 2 ||
		    strcmp(name, op))
			continue;
		memcpy(a->word, word, sizeof(word));
		a->from = from;
		return;
	}
}

static void wait_while_stalled(const char *op, struct answer *a)
{
	struct timespec nap = { .tv_nsec = 10 * 1000 * 1000 };

	for (look_up(op, a); !strcmp(a->word, "stall"); look_up(op, a))
		nanosleep(&nap, NULL);
}

static int errno_of(const char *word)
{
	const char *name;
	int e;

	for (e = 1; e < 512; e++) {
		name = strerrorname_np(e);
		if (name && !strcmp(name, word))
			return e;
	}
	e = atoi(word);
	return e > 0 && e < 512 ? e : EPROTO;
}

/*
 * How many of @size bytes at @pos shall be served? 0 to @size, or a negative
 * errno.
 */
static int lie(const char *op, size_t size, off_t pos)
{
	struct answer a;

	wait_while_stalled(op, &a);
	if (!a.word[0] || (off_t)(pos + size) <= a.from)
		return size;
	if (pos < a.from)
		return a.from - pos;
	if (!strcmp(a.word, "short"))
		return size <= SECTOR ? size : (size / 2 + SECTOR - 1) / SECTOR * SECTOR;
	if (!strcmp(a.word, "odd"))
		return size < ODD ? size : ODD;
	if (!strcmp(a.word, "zero"))
		return 0;
	return -errno_of(a.word);
}

/* For operations that are done or not. */
static int lie_whole(const char *op)
{
	int n = lie(op, 1, 0);

	return n < 0 ? n : 0;
}

static int liar_getattr(const char *path, struct stat *st,
			struct fuse_file_info *fi)
{
	int ret;

	(void)fi;
	if (!strcmp(path, "/")) {
		*st = (struct stat){ .st_mode = S_IFDIR | 0755, .st_nlink = 2 };
		return 0;
	}
	if (strcmp(path, IMAGE))
		return -ENOENT;
	ret = lie_whole("getattr");
	return ret ? ret : fstat(backing, st) ? -errno : 0;
}

static int liar_open(const char *path, struct fuse_file_info *fi)
{
	fi->direct_io = no_cache;
	return strcmp(path, IMAGE) ? -ENOENT : 0;
}

static int liar_read(const char *path, char *buf, size_t size, off_t pos,
		     struct fuse_file_info *fi)
{
	int n = lie("read", size, pos);
	ssize_t ret;

	(void)path;
	(void)fi;
	if (n <= 0)
		return n;
	ret = pread(backing, buf, n, pos);
	return ret < 0 ? -errno : ret;
}

static int liar_write(const char *path, const char *buf, size_t size, off_t pos,
		      struct fuse_file_info *fi)
{
	int n = lie("write", size, pos);
	ssize_t ret;

	(void)path;
	(void)fi;
	if (n <= 0)
		return n;
	ret = pwrite(backing, buf, n, pos);
	return ret < 0 ? -errno : ret;
}

static int liar_fsync(const char *path, int datasync, struct fuse_file_info *fi)
{
	int ret = lie_whole("fsync");

	(void)path;
	(void)datasync;
	(void)fi;
	return ret ? ret : fsync(backing) ? -errno : 0;
}

static int liar_fallocate(const char *path, int mode, off_t pos, off_t len,
			  struct fuse_file_info *fi)
{
	int ret = lie_whole("fallocate");

	(void)path;
	(void)fi;
	return ret ? ret : fallocate(backing, mode, pos, len) ? -errno : 0;
}

static int liar_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	(void)path;
	(void)fi;
	return ftruncate(backing, size) ? -errno : 0;
}

/* In the background by now: this is the PID that a test can kill. */
static void *liar_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	FILE *f = fopen(pid_path, "w");

	(void)conn;
	/* sizes that change below shall be seen at once */
	config->attr_timeout = 0;
	if (f) {
		fprintf(f, "%d\n", getpid());
		fclose(f);
	}
	return NULL;
}

static const struct fuse_operations operations = {
	.init = liar_init,
	.getattr = liar_getattr,
	.open = liar_open,
	.read = liar_read,
	.write = liar_write,
	.fsync = liar_fsync,
	.fallocate = liar_fallocate,
	.truncate = liar_truncate,
};

int main(int argc, char **argv)
{
	char *fuse_argv[3], *path;

	fuse_argv[0] = argv[0];
	if (argc > 1 && !strcmp(argv[1], "-d")) {
		no_cache = 1;
		argv++;
		argc--;
	}
	if (argc != 4) {
		fputs("usage: liar [-d] BACKING CONTROL MOUNTPOINT\n", stderr);
		return 2;
	}
	backing = open(argv[1], O_RDWR | O_CLOEXEC);
	control = open(argv[2], O_RDONLY | O_CREAT | O_CLOEXEC, 0644);
	path = realpath(argv[2], NULL);
	if (backing < 0 || control < 0 || !path ||
	    asprintf(&pid_path, "%s.pid", path) < 0) {
		perror("liar");
		return 1;
	}
	fuse_argv[1] = argv[3];
	fuse_argv[2] = NULL;
	return fuse_main(2, fuse_argv, &operations, NULL);
}
