/* SPDX-License-Identifier: Apache-2.0 */
/* The child that sets a sandbox up, until it becomes PID 1. */
#ifndef BLD_BUILDER_SANDBOX_INIT_H
#define BLD_BUILDER_SANDBOX_INIT_H

#include "builder/sandbox/exec.h"
#include "builder/sandbox/ops.h"

/* Everything the child needs, at the start of the region of the sandbox. */
struct init_plan {
	struct op_list ops;
	struct ops_state state;
	const struct exec_command *command;
};

/*
 * Runs in the child of the forker, arg = the plan, with all signals blocked and default: builds the
 * sandbox, hands to bld what is needed at its end (CHANNEL_HELD: the root, then the parent of each
 * stub in state.stub), gives its privileges up and executes PID 1.
 */
void init_main(void *arg);

#endif
