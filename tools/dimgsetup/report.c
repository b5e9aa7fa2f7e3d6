// SPDX-License-Identifier: GPL-2.0
/*
 * report.c - owns what is said on stderr, and the exit code that goes with it.
 *
 * A message reads "dimgsetup: COMMAND: SUBJECT: cause: strerror" and is
 * followed by a line with the remedy. The cause is the kernel's own sentence
 * where there is one. The remedies stand in the two tables below, each with
 * its entry in dimgsetup.8, section ERRORS.
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

const char *dimg_program = "dimgsetup";

/**
 * struct remedy - what to do about an errno
 * @command: the command it is about; NULL for all others
 * @code: exit code
 */
static const struct remedy {
	int err;
	const char *command;
	enum dimg_exit code;
	const char *text;
} remedies[] = {
	{ EPERM, "attach", DIMG_EXIT_PERMISSION,
	  "Run it as root (sudo), outside of containers. An immutable or append-only file can be attached with -r, or after chattr -i -a."
	},
	{ EPERM, NULL, DIMG_EXIT_PERMISSION,
	  "Run it as root (sudo), outside of containers." },
	{ EACCES, NULL, DIMG_EXIT_PERMISSION,
	  "Run it as root (sudo), or ask the owner for access to the file and its directories." },
	{ ENOENT, "create", DIMG_EXIT_NOT_FOUND,
	  "Check the path; \"mkdir -p DIRECTORY\" makes a directory." },
	{ ENOENT, "snapshot", DIMG_EXIT_NOT_FOUND,
	  "Check the paths of the image and of the copy; \"mkdir -p DIRECTORY\" makes a directory."
	},
	{ ENOENT, NULL, DIMG_EXIT_NOT_FOUND,
	  "Check the path; \"truncate -s 1G FILE\" makes a new image." },
	{ ENOTDIR, NULL, DIMG_EXIT_NOT_FOUND, "Check the path." },
	{ ENAMETOOLONG, NULL, DIMG_EXIT_NOT_FOUND, "Check the path." },
	/* the module was on its way out; that a node is dead, image.c says */
	{ ENODEV, "monitor", DIMG_EXIT_NO_MODULE,
	  "Start it again when the module is loaded."
	},
	{ ENODEV, "attach", DIMG_EXIT_NO_MODULE,
	  "Try again; the module is loaded anew then." },
	{ ENODEV, NULL, DIMG_EXIT_NOT_FOUND,
	  "\"dimgsetup list\" shows what is attached." },
	{ ESTALE, NULL, DIMG_EXIT_NOT_FOUND,
	  "The device was detached and its number given to another one meanwhile; look at \"dimgsetup list\" and try again."
	},
	{ EBUSY, "attach", DIMG_EXIT_REFUSED,
	  "End the other use, attach with -r (both, if the other one is a device too), choose ranges that do not overlap, or say --allow-overlap if the two are known to keep out of each other's way."
	},
	{ EBUSY, "resize", DIMG_EXIT_REFUSED,
	  "Detach the other device first, or attach this one with --allow-overlap." },
	{ EBUSY, "snapshot", DIMG_EXIT_BUSY,
	  "End its users and try again; or unmount all of it, detach the image and copy it then." },
	{ EBUSY, "compact", DIMG_EXIT_BUSY,
	  "End its users and try again; or unmount it and mount it where it can be found." },
	{ EBUSY, "mount", DIMG_EXIT_BUSY,
	  "End its users first. A file system that is mounted writable cannot be mounted read-only elsewhere, nor the other way round; \"mount --bind\" shows it at a second place."
	},
	{ EBUSY, "umount", DIMG_EXIT_BUSY,
	  "End its users and try again; --lazy takes it out of sight until they have ended." },
	{ EBUSY, NULL, DIMG_EXIT_BUSY,
	  "End its users and try again; --lazy detaches at the last close, --force fails their I/O."
	},
	{ EEXIST, NULL, DIMG_EXIT_BUSY,
	  "Choose another --index or --name, or none; \"dimgsetup list\" shows those in use." },
	{ ENOSPC, "create", DIMG_EXIT_REFUSED,
	  "Nothing was made. Make room on the file system, or take a smaller size." },
	{ EDQUOT, "create", DIMG_EXIT_REFUSED,
	  "Nothing was made. Make room in your quota, or take a smaller size." },
	{ ENOSPC, "snapshot", DIMG_EXIT_REFUSED,
	  "Make room where the copy goes, or take another place; and where the image is, if that is full."
	},
	{ EDQUOT, "snapshot", DIMG_EXIT_REFUSED,
	  "Make room in your quota where the copy goes, or take another place."
	},
	{ EFBIG, NULL, DIMG_EXIT_REFUSED,
	  "Files have a largest size on each file system (FAT: 4 GiB less one byte) and by \"ulimit -f\": take a smaller size or another file system."
	},
	{ EISDIR, NULL, DIMG_EXIT_REFUSED, "Give the path of a file." },
	{ ENOSPC, "attach", DIMG_EXIT_REFUSED,
	  "Detach devices that are not needed, or load the module with a larger max_devices." },
	{ ETXTBSY, NULL, DIMG_EXIT_REFUSED,
	  "The file is in use as swap space: \"swapoff FILE\" first." },
	{ EROFS, NULL, DIMG_EXIT_REFUSED,
	  "Use -r to attach it read-only, or remount the file system read-write." },
	{ ELOOP, NULL, DIMG_EXIT_REFUSED,
	  "Use an image that does not lie on so many other devices (at most 8)." },
	{ EINVAL, "attach", DIMG_EXIT_REFUSED,
	  "Images are files and block devices that store data; \"dimgsetup attach --help\" tells what each option takes."
	},
	{ EINVAL, "set", DIMG_EXIT_REFUSED,
	  "--direct-io=auto takes direct I/O where it can be had." },
	{ EINVAL, NULL, DIMG_EXIT_REFUSED, NULL },
	{ EBADF, NULL, DIMG_EXIT_REFUSED,
	  "The image must be open for reading, or for reading and writing." },
	{ EOVERFLOW, NULL, DIMG_EXIT_REFUSED,
	  "Use a smaller --offset or --sizelimit." },
	{ ERANGE, "attach", DIMG_EXIT_REFUSED,
	  "\"dimgsetup attach --help\" tells the range of each option; --offset must lie inside the image."
	},
	{ ERANGE, "resize", DIMG_EXIT_REFUSED,
	  "The file must be larger than the offset of the device: make it larger (truncate -s), or detach the device."
	},
	{ ERANGE, NULL, DIMG_EXIT_REFUSED, NULL },
	{ EIO, NULL, DIMG_EXIT_KERNEL,
	  "The storage below the image failed; \"dmesg\" says more." },
	{ ENOSPC, NULL, DIMG_EXIT_KERNEL,
	  "Make room on the file system that holds the image; check the image before it is used." },
	{ EDQUOT, NULL, DIMG_EXIT_KERNEL,
	  "Make room in the quota of the image's owner; check the image before it is used." },
	{ ENOMEM, NULL, DIMG_EXIT_KERNEL, "Free memory and try again." },
	{ ETIMEDOUT, NULL, DIMG_EXIT_KERNEL,
	  "The storage below the image does not answer: look at it, or at its network; \"dmesg\" may say more. \"dimgsetup list\" shows what became of the device."
	},
	{ EOPNOTSUPP, NULL, DIMG_EXIT_KERNEL,
	  "Module and tool do not match: install both from one version." },
	{ ENOMSG, NULL, DIMG_EXIT_KERNEL,
	  "\"dimgsetup list\" shows what is attached now." },
	{ EBADMSG, NULL, DIMG_EXIT_KERNEL,
	  "Module and tool do not match: install both from one version." },
};

/*
 * What the kernel blames, as the user calls it, and what it takes. Better than
 * the remedy of an errno, since one errno stands for many causes.
 */
static const struct option_remedy {
	int attr;
	const char *option;
	const char *text;
} option_remedies[] = {
	{ DIMGBLK_A_INDEX, "--index",
	  "It takes 0 to 1048575; without it the first free number is taken."
	},
	{ DIMGBLK_A_OFFSET, "--offset",
	  "It takes a multiple of the logical block size (512 if not chosen) inside the image."
	},
	{ DIMGBLK_A_SIZE_LIMIT, "--sizelimit",
	  "It takes a multiple of the logical block size (512 if not chosen); 0 is to the end of the image."
	},
	{ DIMGBLK_A_LOGICAL_BLOCK_SIZE, "--sector-size",
	  "It takes 512, 1024, 2048 or 4096; leave it out for the smallest that the image allows."
	},
	{ DIMGBLK_A_DIRECT, "--direct-io",
	  "--direct-io=auto takes direct I/O where it can be had."
	},
	{ DIMGBLK_A_NR_HW_QUEUES, "--queues",
	  "It takes 1 to the number of CPUs; leave it out for the default."
	},
	{ DIMGBLK_A_QUEUE_DEPTH, "--queue-depth",
	  "It takes 1 to 4096; leave it out for the default, 128."
	},
	{ DIMGBLK_A_NAME, "--name",
	  "A name has 1 to 63 letters, digits and _ . : + -, begins with no dot or dash and does not look like a node."
	},
};

/**
 * dimg_error_set - fill in an error
 * @fmt: the cause, without errno and remedy; "" when the errno says it all
 */
void dimg_error_set(struct dimg_error *e, int err, const char *fmt, ...)
{
	va_list ap;

	e->err = err;
	e->attr = 0;
	va_start(ap, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, ap);
	va_end(ap);
}

/* Print the character at @s, escaped if it is a control or @force says so. */
static const char *put_escaped(const char *s, bool force, FILE *f)
{
	unsigned char c = *s, next = s[1];
	bool c1 = c == 0xc2 && next >= 0x80 && next < 0xa0;

	if (c1 || force || iscntrl(c))
		fprintf(f, "\\x%02x", c);
	else
		fputc(c, f);
	if (c1)
		fprintf(f, "\\x%02x", next);
	return s + 1 + c1;
}

/**
 * dimg_fputs_escaped - print text that others chose
 *
 * A path or a process name may hold anything, terminal controls too: control
 * characters and backslashes go out as \xNN, as libsmartcols does it. Those of
 * C1 too, two bytes in UTF-8: c2 9b is as good as ESC [ to many terminals.
 */
void dimg_fputs_escaped(const char *s, FILE *f)
{
	while (*s)
		s = put_escaped(s, *s == '\\', f);
}

/* Place in a file, such as "/etc/dimgtab:3", that messages are about; or "". */
char dimg_context[DIMG_CONTEXT_LEN];

/* "dimgsetup: COMMAND: CONTEXT: SUBJECT: ", as far as there are any. */
static void put_prefix(const char *subject)
{
	fprintf(stderr, "%s: ", dimg_program);
	/* a link such as mount.dimg has but one command */
	if (dimg_command && !strcmp(dimg_program, "dimgsetup"))
		fprintf(stderr, "%s: ", dimg_command);
	if (*dimg_context) {
		dimg_fputs_escaped(dimg_context, stderr);
		fputs(": ", stderr);
	}
	if (subject) {
		dimg_fputs_escaped(subject, stderr);
		fputs(": ", stderr);
	}
}

static size_t count_lines(const char *s)
{
	size_t n = 0;

	while ((s = strchr(s, '\n'))) {
		n++;
		s++;
	}
	return n;
}

/*
 * A sentence with names in it that others chose: control characters go out as
 * \xNN, and so do newlines if there are more than the sentence has of its own.
 */
__printf(1, 0) static void put_sentence(const char *fmt, va_list ap)
{
	bool one_line;
	const char *s;
	char *text;

	if (vasprintf(&text, fmt, ap) < 0) {
		fprintf(stderr, "%s\n", fmt);
		return;
	}
	one_line = count_lines(text) != count_lines(fmt);
	for (s = text; *s;) {
		if (*s == '\n' && !one_line)
			fputc(*s++, stderr);
		else
			s = put_escaped(s, false, stderr);
	}
	fputc('\n', stderr);
	free(text);
}

/* dimg_say - print a warning or an error, @subject may be NULL. */
void dimg_say(const char *subject, const char *fmt, ...)
{
	va_list ap;

	put_prefix(subject);
	va_start(ap, fmt);
	put_sentence(fmt, ap);
	va_end(ap);
}

/* dimg_note - as dimg_say(), but only with --verbose. */
void dimg_note(const char *subject, const char *fmt, ...)
{
	va_list ap;

	if (!dimg_verbose)
		return;
	put_prefix(subject);
	va_start(ap, fmt);
	put_sentence(fmt, ap);
	va_end(ap);
}

/* The entry for an errno: that of @name before the common one. */
static const struct remedy *find_remedy(int err, const char *name)
{
	static const struct remedy other = { .code = DIMG_EXIT_KERNEL };
	size_t i;

	for (i = 0; i < sizeof(remedies) / sizeof(*remedies); i++) {
		const char *command = remedies[i].command;

		if (remedies[i].err != err)
			continue;
		if (!command || (name && !strcmp(command, name)))
			return &remedies[i];
	}
	return &other;
}

/* The option that the kernel blames; NULL if none. */
static const struct option_remedy *find_option(int attr)
{
	size_t i;

	for (i = 0; i < sizeof(option_remedies) / sizeof(*option_remedies); i++)
		if (attr && option_remedies[i].attr == attr)
			return &option_remedies[i];
	return NULL;
}

/* The lines of a failure; @name is the command whose remedies count. */
static int fail(const char *name, const char *subject,
		const struct dimg_error *e, const struct dimg_holders *h)
{
	const struct option_remedy *option = find_option(e->attr);
	const struct remedy *r = find_remedy(e->err, name);
	const char *text = r->text, *s;
	size_t len = strlen(e->text), i;

	/* permission and busy have a cause of their own, whatever is blamed */
	if (option && r->code == DIMG_EXIT_REFUSED)
		text = option->text;
	put_prefix(subject);
	if (option)
		fprintf(stderr, "%s: ", option->option);
	/* the kernel's sentences end with or without a full stop */
	if (len && e->text[len - 1] == '.')
		len--;
	/* names that others chose may be in it */
	for (s = e->text; s < e->text + len;)
		s = put_escaped(s, false, stderr);
	fprintf(stderr, "%s%s\n", len ? ": " : "", strerror(e->err));
	for (i = 0; h && i < h->n; i++)
		fprintf(stderr, "  %s\n", h->v[i]);
	if (h && !h->n)
		fputs("  nobody to be seen: the kernel itself, or what only root may see\n",
		      stderr);
	if (text)
		fprintf(stderr, "%s\n", text);
	return r->code;
}

/**
 * dimg_fail_busy - report a failure, who caused it, and its remedy
 * @subject: the image or device it is about, or NULL
 * @h: the holders, one on a line; NULL if the failure is not about any
 *
 * Return: the exit code for this errno.
 */
int dimg_fail_busy(const char *subject, const struct dimg_error *e,
		   const struct dimg_holders *h)
{
	return fail(dimg_command, subject, e, h);
}

/**
 * dimg_fail - report a failure with its remedy
 * @subject: the image or device it is about, or NULL
 *
 * Return: the exit code for this errno.
 */
int dimg_fail(const char *subject, const struct dimg_error *e)
{
	return fail(dimg_command, subject, e, NULL);
}

/**
 * dimg_fail_attach - as dimg_fail(), for an attach by whatever command
 *
 * Return: the exit code for this errno.
 */
int dimg_fail_attach(const char *subject, const struct dimg_error *e)
{
	return fail("attach", subject, e, NULL);
}

/* dimg_fail_detach - as dimg_fail_busy(), for a detach by whatever command. */
int dimg_fail_detach(const char *subject, const struct dimg_error *e,
		     const struct dimg_holders *h)
{
	return fail("detach", subject, e, h);
}

/**
 * dimg_fail_errno - report a failure that has no more to it than its errno
 * @ret: -errno
 * @what: could not be done; may be empty
 *
 * Return: the exit code for this errno.
 */
int dimg_fail_errno(const char *subject, int ret, const char *what)
{
	struct dimg_error e;

	dimg_error_set(&e, -ret, "%s", what);
	return dimg_fail(subject, &e);
}

/**
 * dimg_usage_error - report a wrong command line, or line of a table
 *
 * Return: DIMG_EXIT_USAGE.
 */
int dimg_usage_error(const char *fmt, ...)
{
	va_list ap;

	put_prefix(NULL);
	va_start(ap, fmt);
	put_sentence(fmt, ap);
	va_end(ap);
	if (*dimg_context) {
		fputs("Mend the line; dimgtab(5) tells what it takes.\n",
		      stderr);
		return DIMG_EXIT_USAGE;
	}
	fprintf(stderr, "Try \"%s %s%s--help\".\n",
		dimg_program, dimg_command ? dimg_command : "", dimg_command ? " " : "");
	return DIMG_EXIT_USAGE;
}
