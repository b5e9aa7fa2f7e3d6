// SPDX-License-Identifier: GPL-2.0
/*
 * writer.c - owns the question whether somebody writes to an image who takes no lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "dimgsetup.h"

/**
 * dimg_has_writer - whether somebody has a file open for writing
 * @path: ask before the caller opens it for writing himself
 *
 * A device of another network namespace or of root, for who is neither; a virtual
 * machine; any program. A read lease is refused then. Not all file systems have
 * leases, and only the owner of the file and root may ask: the others are told no.
 */
bool dimg_has_writer(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool found;

	if (fd < 0)
		return false;
	/* somebody may open it for writing at this moment */
	signal(SIGIO, SIG_IGN);
	found = fcntl(fd, F_SETLEASE, F_RDLCK) && errno == EAGAIN;
	close(fd);
	return found;
}

/**
 * dimg_fail_writer - say that there is one
 *
 * Return: an exit code.
 */
int dimg_fail_writer(const char *path)
{
	dimg_say(path, "another program has it open for writing, perhaps a device that only root sees\n"
		 "End that program (\"fuser -v FILE\" names it), or detach the device, as root.");
	return DIMG_EXIT_BUSY;
}
