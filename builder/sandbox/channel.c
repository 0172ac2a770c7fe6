// SPDX-License-Identifier: Apache-2.0
/* Packets between bld and PID 1 of a sandbox. */
#include "builder/sandbox/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

int channel_send(int fd, const struct channel_msg *m)
{
	ssize_t n;

	do
		n = send(fd, m, sizeof(*m), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

int channel_recv(int fd, struct channel_msg *m)
{
	ssize_t n;

	/* A process that dies with unread packets resets the connection: that is told once, before
	 * what it has sent. */
	do
		n = recv(fd, m, sizeof(*m), 0);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n == 0)
		return 0;
	if (n == (ssize_t)sizeof(*m)) {
		m->text[sizeof(m->text) - 1] = '\0';
		return 1;
	}
	if (n == (ssize_t)sizeof(int32_t)) {
		int32_t error;

		memcpy(&error, m, sizeof(error));
		*m = (struct channel_msg){.kind = CHANNEL_FAILED, .a = CHANNEL_OP_EXEC, .b = error};
		return 1;
	}
	if (n > 0)
		errno = EPROTO;
	return -1;
}
