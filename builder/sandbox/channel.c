// SPDX-License-Identifier: Apache-2.0
/* Packets between bld and a sandbox: see channel.h. */
#include "builder/sandbox/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FDS_ROOM   CMSG_SPACE(CHANNEL_FDS * sizeof(int))
#define CREDS_ROOM CMSG_SPACE(sizeof(struct ucred))

int channel_ask_pids(int fd)
{
	const int on = 1;

	return setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
}

int channel_send(int fd, const struct channel_msg *m, const int *fds, size_t nfds)
{
	struct channel_msg copy = *m;
	struct iovec v = {&copy, sizeof copy};
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
	union {
		struct cmsghdr head;
		char room[FDS_ROOM];
	} control = {0};
	ssize_t n;

	if (nfds > 0) {
		h.msg_control = &control;
		h.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(nfds * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.head), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &h, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -1 : 0;
}

static void take_extra(struct msghdr *h, struct channel_extra *extra)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_RIGHTS) {
			extra->nfd = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(extra->fd, CMSG_DATA(c), extra->nfd * sizeof(int));
		} else if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred u;

			memcpy(&u, CMSG_DATA(c), sizeof u);
			extra->pid = u.pid;
		}
	}
}

static ssize_t channel_receive(
	int fd, struct channel_msg *m, struct channel_extra *extra, int flags)
{
	struct iovec v = {m, sizeof *m};
	union {
		struct cmsghdr head;
		char room[FDS_ROOM + CREDS_ROOM];
	} control;
	struct msghdr h = {.msg_iov = &v, .msg_iovlen = 1};
	ssize_t n;

	if (extra) {
		*extra = (struct channel_extra){0};
		h.msg_control = &control;
		h.msg_controllen = sizeof control;
	}
	n = recvmsg(fd, &h, flags | MSG_CMSG_CLOEXEC);
	if (n > 0 && extra)
		take_extra(&h, extra);
	return n;
}

int channel_recv(int fd, struct channel_msg *m, struct channel_extra *extra, int flags)
{
	ssize_t n;
	int32_t number;

	/* A process that dies with unread packets resets the connection: that is told once, before
	 * what it has sent. */
	do
		n = channel_receive(fd, m, extra, flags);
	while (n < 0 && (errno == EINTR || errno == ECONNRESET));
	if (n <= 0)
		return (int)n;
	if (n == (ssize_t)sizeof *m) {
		m->text[sizeof m->text - 1] = '\0';
		return 1;
	}
	memcpy(&number, m, sizeof number);
	if (n == (ssize_t)sizeof number) {
		*m = (struct channel_msg){
			.kind = CHANNEL_FAILED, .a = CHANNEL_OP_EXEC, .b = number};
		return 1;
	}
	if (n == (ssize_t)(2 * sizeof number) &&
		(m->kind == CHANNEL_READY || m->kind == CHANNEL_EXIT)) {
		*m = (struct channel_msg){.kind = m->kind, .a = m->a};
		return 1;
	}
	errno = EPROTO;
	return -1;
}
