/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock, for commands on the network of the machine. They share its abstract unix sockets, and
 * over one of them anybody on the machine could hand a descriptor of a directory of the host to the
 * root of a RUN. The domain of a sandbox
 * - connects and sends to no abstract socket, and no signal, that is not its own (Linux 6.12);
 * - opens, makes, removes and renames nothing but what lies below its own root, mounts included.
 * It stays open that somebody outside connects to an abstract socket of the command, and then
 * chmod, chown and the like through the descriptor: Landlock knows no right for these. Only a
 * network namespace closes that.
 *
 * The rights are all given below the root, so what a command may do to its own files does not
 * change. A domain may not mount, and sees with ptrace only what is in it.
 */
#ifndef BLD_BUILDER_SANDBOX_LANDLOCK_H
#define BLD_BUILDER_SANDBOX_LANDLOCK_H

#include "builder/sandbox/ops.h"

#define LANDLOCK_ABI_SCOPE 6 /* the first that knows scopes */

/* Version of the kernel's interface; -1 and errno where it has none. */
int landlock_abi(void);

/* Enter a domain of the process's own: while it has CAP_SYS_ADMIN, after the change of the root,
 * with OPS_ROOT still open. */
void landlock_plan(struct op_list *l);

#endif
