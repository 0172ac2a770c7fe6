// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors passed from one RUN to another: "passfd give KIND SOCKET" connects to SOCKET and
 * passes a descriptor (root: O_PATH of /; write: /given, open for writing; stdout) and waits until
 * the other side has it; "passfd take KIND SOCKET" binds SOCKET, takes it, says so, and then: root:
 * tries to make a file until that is no longer possible, and says why; others: keeps it for good.
 * Built without a dynamic loader, so that it runs in an empty image.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define TRIES 6000 /* of 10 ms */

static const struct timespec nap = {.tv_nsec = 10000000};

static int pass(int sock, int fd)
{
	char byte = 'x', room[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec v = {&byte, 1};
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);

	if (fd < 0) {
		if (recvmsg(sock, &m, 0) != 1 || !CMSG_FIRSTHDR(&m))
			return -1;
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
		return fd;
	}
	*c = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	memcpy(CMSG_DATA(c), &fd, sizeof fd);
	return sendmsg(sock, &m, 0) == 1 ? 0 : -1;
}

static int give(const char *kind, const struct sockaddr_un *a)
{
	int sock = -1, fd;
	char byte;

	if (strcmp(kind, "root") == 0)
		fd = open("/", O_PATH | O_DIRECTORY);
	else
		fd = strcmp(kind, "stdout") == 0 ? 1 : open("/given", O_CREAT | O_WRONLY, 0644);
	for (int i = 0; i < TRIES; i++) {
		sock = socket(AF_UNIX, SOCK_STREAM, 0);
		if (connect(sock, (const struct sockaddr *)a, sizeof *a) == 0)
			break;
		close(sock);
		nanosleep(&nap, NULL);
	}
	return pass(sock, fd) == 0 && read(sock, &byte, 1) == 1 ? 0 : 1;
}

static int take(const char *kind, const struct sockaddr_un *a)
{
	int l = socket(AF_UNIX, SOCK_STREAM, 0), peer, fd;

	if (bind(l, (const struct sockaddr *)a, sizeof *a) < 0 || listen(l, 1) < 0)
		return 1;
	peer = accept(l, NULL, NULL);
	fd = pass(peer, -1);
	unlink(a->sun_path);
	printf("taken\n");
	fflush(stdout);
	if (fd < 0 || write(peer, "x", 1) != 1)
		return 1;
	for (int i = 0; i < TRIES; i++) {
		if (strcmp(kind, "root") == 0) {
			int new = openat(fd, "late", O_CREAT | O_WRONLY, 0644);

			if (new < 0) {
				printf("late: %s\n", strerrorname_np(errno));
				return 0;
			}
			close(new);
			unlinkat(fd, "late", 0);
		}
		nanosleep(&nap, NULL);
	}
	return 1;
}

int main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	if (argc != 4)
		return 2;
	snprintf(a.sun_path, sizeof a.sun_path, "%s", argv[3]);
	return strcmp(argv[1], "give") == 0 ? give(argv[2], &a) : take(argv[2], &a);
}
