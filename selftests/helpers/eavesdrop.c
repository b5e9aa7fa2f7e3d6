// SPDX-License-Identifier: GPL-2.0
/*
 * Joins every group of generic netlink that there may once be, and tells what comes.
 *
 * usage: eavesdrop UID SECONDS
 *   UID opens the socket and joins.  Prints "listening", and then the number of the
 *   family of each message, but of those of the controller.
 * Exit: 0, 2 wrong use.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/genetlink.h>
#include <linux/netlink.h>

#define MAX_GROUP	1024

int main(int argc, char **argv)
{
	struct sockaddr_nl me = { .nl_family = AF_NETLINK };
	struct timeval patience = { 0 };
	static char buf[65536];
	struct nlmsghdr *nlh = (struct nlmsghdr *)buf;
	ssize_t n;
	int fd, g;

	if (argc != 3 || setgid(atoi(argv[1])) || setuid(atoi(argv[1]))) {
		fprintf(stderr, "usage: eavesdrop UID SECONDS\n");
		return 2;
	}
	patience.tv_sec = atoi(argv[2]);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0 || bind(fd, (struct sockaddr *)&me, sizeof(me)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)))
		return 2;
	/* Some are refused; some are those of nobody yet. */
	for (g = 1; g < MAX_GROUP; g++)
		setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &g, sizeof(g));
	puts("listening");
	fflush(stdout);
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		if (nlh->nlmsg_type != GENL_ID_CTRL) {
			printf("family %u\n", nlh->nlmsg_type);
			fflush(stdout);
		}
	return 0;
}
