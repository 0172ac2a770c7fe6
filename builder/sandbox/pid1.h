/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program that is PID 1 of a sandbox while the command runs: a few instructions in a sealed
 * memfd, executed by the process that has set the sandbox up, as the user of the step and with no
 * more privilege than that has. So a command may look at PID 1 like at a process of its own
 * (find / ends with 0), and finds nothing of bld: not its binary behind /proc/1/exe, no memory, no
 * environment, no descriptor but one end of a socket pair, whose other end believes two numbers of
 * it (channel.h). By the system call filter and a cover over /proc/1/mem it cannot be traced.
 *
 * Called as bld-init PATH WORD... with the environment of the command, descriptors 0 to 2 for the
 * command, 3 for reports, all signals blocked. It
 * - forks a child, which waits, then makes a session, unblocks signals, reports CHANNEL_READY and
 *   executes PATH with WORD... ; if it cannot, four bytes of errno are the report, and 126 its
 *   status;
 * - closes 0 to 2, wipes its words and environment, which may hold a secret, and lets the child go;
 * - reaps until that child ends, reports CHANNEL_EXIT with its wait status, and ends; with it the
 *   kernel ends every process of the sandbox.
 *
 * The program is also why the command is not executed by bld itself: an image may name
 * "#!/proc/self/exe" as the interpreter of its shell. Then the kernel runs this program again, and
 * as it is not PID 1 it ends with 126.
 */
#ifndef BLD_BUILDER_SANDBOX_PID1_H
#define BLD_BUILDER_SANDBOX_PID1_H

#include "store/base/err.h"

#define PID1_NAME "bld-init" /* its first word */

/* The sealed program; -1 with an error where memfd cannot be executed. */
int pid1_program(struct err **err);

#endif
