// SPDX-License-Identifier: GPL-2.0
/*
 * udevd.c - owns the question whether a process is of udev: the daemon, a child of it
 * or a program that one of its rules runs. Such a one has a disk open only for a
 * moment, and goes by itself.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "dimgsetup.h"

/* A rule's program may be a script that runs others. */
#define MAX_ANCESTORS	8

/*
 * systemd-udevd gives its children names in parentheses: a worker, the one that has
 * the kernel read a partition table again, and what comes with later versions.
 */
static bool is_name_of_udev(const char *comm)
{
	return !strcmp(comm, "systemd-udevd") || !strcmp(comm, "udevd") ||
	       !strncmp(comm, "(udev-", strlen("(udev-"));
}

/* Parent of a process; 0 if there is none, or the process is gone. */
static long parent_of(long pid)
{
	char path[64], line[512], *end;
	long parent = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	f = fopen(path, "re");
	if (!f)
		return 0;
	/* "PID (NAME) STATE PARENT ...": the name may have parentheses of its own */
	if (fgets(line, sizeof(line), f)) {
		end = strrchr(line, ')');
		if (end && sscanf(end + 1, " %*c %ld", &parent) != 1)
			parent = 0;
	}
	fclose(f);
	return parent;
}

/* dimg_is_of_udev - whether process @pid or one that it descends from is udev's. */
bool dimg_is_of_udev(const char *pid)
{
	long p = strtol(pid, NULL, 10);
	char comm[32], digits[24];
	int i;

	for (i = 0; i < MAX_ANCESTORS && p > 1; i++) {
		snprintf(digits, sizeof(digits), "%ld", p);
		if (dimg_holders_comm(digits, comm, sizeof(comm)) &&
		    is_name_of_udev(comm))
			return true;
		p = parent_of(p);
	}
	return false;
}
