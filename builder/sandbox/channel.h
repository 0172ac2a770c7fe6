/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The conversation between bld and PID 1 of a sandbox, over a SOCK_SEQPACKET pair: one message per
 * packet, so several writers do not mix. End of file means that the other side is dead. A packet
 * of four bytes is an errno: the command could not be executed (see exec.h).
 */
#ifndef BLD_BUILDER_SANDBOX_CHANNEL_H
#define BLD_BUILDER_SANDBOX_CHANNEL_H

#include <stdint.h>

#include "builder/sandbox/ops.h"

enum channel_kind {
	CHANNEL_FAILED = 1, /* up: a = operation, b = errno, text = the kernel's words */
	CHANNEL_READY,      /* up: the command is about to be executed */
	CHANNEL_SIGNAL,     /* down: a = signal for the command; SIGKILL ends all */
	CHANNEL_EXIT,       /* up: a = wait status of the command; everything else is gone */
};

/* In place of an operation's index. */
#define CHANNEL_OP_EXEC    (-1)
#define CHANNEL_OP_CLEANUP (-2)

struct channel_msg {
	uint32_t kind;
	int32_t a, b;
	char text[OPS_DETAIL_MAX];
};

/* Both are safe in the child. send: 0 / -1 errno, never SIGPIPE. recv: 1 a message, 0 the end,
 * -1 errno; packets of an errno give kind = CHANNEL_FAILED, a = CHANNEL_OP_EXEC, b = errno. */
int channel_send(int fd, const struct channel_msg *m);
int channel_recv(int fd, struct channel_msg *m);

#endif
