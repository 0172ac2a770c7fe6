/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation between bld and a sandbox, over a SOCK_SEQPACKET pair: one message per packet,
 * so several writers do not mix. End of file means that the other side is dead.
 *
 * First the child that sets the sandbox up speaks, a copy of bld: it may send everything. Then it
 * is PID 1 (pid1.h), which the command may have got hold of: packets of eight bytes are its READY
 * and EXIT, one of four is the errno of a command that could not be executed. Bld says nothing.
 */
#ifndef BLD_BUILDER_SANDBOX_CHANNEL_H
#define BLD_BUILDER_SANDBOX_CHANNEL_H

#include <stdint.h>
#include <sys/types.h>

#include "builder/sandbox/ops.h"

enum channel_kind {
	CHANNEL_FAILED = 1, /* a = operation, b = errno, text = the kernel's words */
	CHANNEL_READY,      /* by the command's process: it is about to execute the command */
	CHANNEL_HELD,       /* descriptors for bld; a = how many follow with later packets */
	CHANNEL_EXIT,       /* a = wait status of the command; PID 1 ends, and the rest with it */
};

/* In place of an operation's index. */
#define CHANNEL_OP_EXEC (-1)

#define CHANNEL_FDS 200 /* of one packet; the kernel takes 253 */

struct channel_msg {
	uint32_t kind;
	int32_t a, b;
	char text[OPS_DETAIL_MAX];
};

/* What came with a packet. */
struct channel_extra {
	pid_t pid; /* of the sender as bld sees it; 0 = not told */
	int fd[CHANNEL_FDS];
	size_t nfd;
};

/* In bld, for the end it keeps: packets tell who sent them. 0 / -1 errno */
int channel_ask_pids(int fd);

/* Both are safe in the child. send: 0 / -1 errno, never SIGPIPE. recv: 1 a message, 0 the end,
 * -1 errno (EAGAIN: flags had MSG_DONTWAIT); an errno gives kind = CHANNEL_FAILED,
 * a = CHANNEL_OP_EXEC, b = errno. extra: NULL = descriptors are not taken. */
int channel_send(int fd, const struct channel_msg *m, const int *fds, size_t nfds);
int channel_recv(int fd, struct channel_msg *m, struct channel_extra *extra, int flags);

#endif
