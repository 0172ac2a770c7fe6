// SPDX-License-Identifier: Apache-2.0
/*
 * An abstract unix socket: "abstract connect NAME" connects to it and says whether it could,
 * "abstract wait NAME" binds it, says "bound" and ends when somebody has connected. Built without a
 * dynamic loader, so that it runs in an empty image.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), n;

	if (argc != 3 || fd < 0)
		return 2;
	n = snprintf(a.sun_path + 1, sizeof a.sun_path - 1, "%s", argv[2]);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
	if (strcmp(argv[1], "connect") == 0) {
		if (connect(fd, (struct sockaddr *)&a, size) < 0)
			printf("refused: %s\n", strerrorname_np(errno));
		else
			printf("connected\n");
		return 0;
	}
	if (bind(fd, (struct sockaddr *)&a, size) < 0 || listen(fd, 1) < 0)
		return 2;
	printf("bound\n");
	fflush(stdout);
	return accept(fd, NULL, NULL) < 0;
}
