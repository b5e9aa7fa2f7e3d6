// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - owns the table of commands and the options that all of them take.
 *
 * Everything a command does is in the file of its name. Names are exact: a
 * prefix that is unique today may mean another command tomorrow.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dimgsetup.h"
#include "dimgtab.h"

const char *dimg_command;
bool dimg_verbose;

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *what;
} commands[] = {
	{ "create", dimg_cmd_create, "make an image file, with a file system if wanted" },
	{ "attach", dimg_cmd_attach, "make a block device of an image file" },
	{ "apply", dimg_cmd_apply, "attach what is in /etc/dimgtab" },
	{ "detach", dimg_cmd_detach, "remove a device, or say who uses it" },
	{ "mount", dimg_cmd_mount, "mount an image on a directory" },
	{ "umount", dimg_cmd_umount, "unmount it again, and release the image" },
	{ "list", dimg_cmd_list, "list devices: a table, JSON or raw columns" },
	{ "show", dimg_cmd_show, "tell everything about one device" },
	{ "resize", dimg_cmd_resize, "make an image larger or smaller, with all in it" },
	{ "snapshot", dimg_cmd_snapshot, "make a consistent copy of an image in use" },
	{ "compact", dimg_cmd_compact, "give back what an image has allocated in vain" },
	{ "set", dimg_cmd_set, "change a setting of a device" },
	{ "monitor", dimg_cmd_monitor, "print events until interrupted" },
};

/* Other names of the program, links in the file system. */
static const struct link {
	const char *name;
	int (*run)(int argc, char **argv);
} links[] = {
	{ "dimgsetup-generator", dimg_generator },
	{ "dimg-losetup", dimg_losetup },
	{ "mount.dimg", dimg_mount_helper },
};

static void usage(FILE *f)
{
	size_t i;

	fputs("Usage: dimgsetup [-v] COMMAND [OPTION]... [ARGUMENT]...\n"
	      "Attach disk images to block devices, without arguments: list them.\n\n"
	      "Commands:\n", f);
	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		fprintf(f, "  %-9s %s\n", commands[i].name, commands[i].what);
	fputs("\nOptions:\n"
	      "  -v, --verbose  say more on stderr\n"
	      "  -h, --help     this text; \"dimgsetup COMMAND --help\" for a command\n"
	      "  -V, --version  print the version\n\n"
	      "A device may be given as /dev/dimgblkN, dimgblkN, the path of its image or\n"
	      "its name. Sizes are bytes; K, M, G, T or KiB, MiB ... are powers of 1024,\n"
	      "KB, MB ... powers of 1000.\n\n"
	      "Exit status: 0 ok, 1 wrong use, 2 not found, 3 busy, 4 refused,\n"
	      "5 permission, 6 module missing, 7 kernel or I/O error. See dimgsetup(8).\n\n"
	      "First steps:\n"
	      "  dimgsetup create disk.img 1G --mkfs ext4\n"
	      "  dimgsetup mount disk.img /mnt\n"
	      "  dimgsetup umount /mnt\n"
	      "  dimgsetup attach disk.img      prints the device, such as /dev/dimgblk0\n", f);
}

/**
 * dimg_getopt_common - handle an option that every command takes
 * @opt: what getopt_long() returned
 *
 * getopt_long() has already said what is wrong about '?'.
 *
 * Return: -1 to go on, else the exit code.
 */
int dimg_getopt_common(int opt)
{
	switch (opt) {
	case 'v':
		dimg_verbose = true;
		return -1;
	case 'V':
		printf("%s %s\n", dimg_program, DIMG_VERSION);
		return DIMG_EXIT_OK;
	default:
		fprintf(stderr, "Try \"%s %s%s--help\".\n",
			dimg_program, dimg_command ? dimg_command : "",
			dimg_command ? " " : "");
		return DIMG_EXIT_USAGE;
	}
}

/* Options in front of the command; -1 to go on, else the exit code. */
static int parse_global(int argc, char **argv)
{
	static const struct option options[] = {
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 }
	};
	int opt, ret;

	/* "+": stop at the command, the rest is the command's */
	while ((opt = getopt_long(argc, argv, "+vhV", options, NULL)) != -1) {
		if (opt == 'h') {
			usage(stdout);
			return DIMG_EXIT_OK;
		}
		ret = dimg_getopt_common(opt);
		if (ret >= 0)
			return ret;
	}
	return -1;
}

static int run_command(int argc, char **argv)
{
	static char who[64];
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		dimg_command = commands[i].name;
		/* getopt_long() puts argv[0] before its own messages */
		snprintf(who, sizeof(who), "dimgsetup: %s", dimg_command);
		argv[0] = who;
		optind = 0;
		return commands[i].run(argc, argv);
	}
	return dimg_usage_error("there is no command \"%s\"", argv[0]);
}

/* Output that went nowhere is a failure that scripts must see. */
static int close_stdout(int code)
{
	if (!ferror(stdout) && !fflush(stdout))
		return code;
	dimg_say(NULL, "cannot write to standard output: %s\n"
		 "The command itself was carried out; \"dimgsetup list\" shows its result.",
		 strerror(errno));
	return code ? code : DIMG_EXIT_KERNEL;
}

/* The link that we were called by; NULL for the plain program. */
static const struct link *find_link(void)
{
	size_t i;

	for (i = 0; i < sizeof(links) / sizeof(*links); i++)
		if (!strcmp(program_invocation_short_name, links[i].name))
			return &links[i];
	return NULL;
}

/*
 * A closed standard descriptor would be that of the next file opened, and what
 * we print would go into an image. In its place comes one that still fails.
 */
static void reserve_standard_fds(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		/* all below are open, so this one is the next */
		if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
			_exit(DIMG_EXIT_KERNEL);
	}
}

int main(int argc, char **argv)
{
	const struct link *called_by = find_link();
	/* main() gets a writable argv, so the commands may expect one */
	char list[] = "list";
	char *no_argv[2] = { list, NULL };
	int ret;

	reserve_standard_fds();
	/* the character set decides what libsmartcols may print as it is */
	setlocale(LC_CTYPE, "");
	if (called_by)
		return close_stdout(called_by->run(argc, argv));
	ret = parse_global(argc, argv);
	if (ret < 0 && optind < argc)
		ret = run_command(argc - optind, argv + optind);
	else if (ret < 0)
		ret = run_command(1, no_argv);
	return close_stdout(ret);
}
