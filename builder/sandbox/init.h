/* SPDX-License-Identifier: Apache-2.0 */
/* PID 1 of a sandbox. */
#ifndef BLD_BUILDER_SANDBOX_INIT_H
#define BLD_BUILDER_SANDBOX_INIT_H

#include "builder/sandbox/exec.h"
#include "builder/sandbox/ops.h"

/* Everything the child needs, at the start of the region of the sandbox. */
struct init_plan {
	struct op_list ops;
	struct ops_state state;
	const struct exec_command *command;
	int *command_slot; /* room for the slots of the command's process */
	char *args;        /* the command line of bld as it shows in /proc/1/cmdline, or NULL */
	size_t args_size;
};

/* Runs in the child of the forker, arg = the plan, with all signals blocked and default: builds the
 * sandbox, starts the command, reaps and forwards until the command has ended, ends the rest, and
 * reports. */
void init_main(void *arg);

#endif
