/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last steps of the child that has set a sandbox up: which program the command is, the
 * descriptors, and the change into PID 1 (pid1.h), which executes the command.
 */
#ifndef BLD_BUILDER_SANDBOX_EXEC_H
#define BLD_BUILDER_SANDBOX_EXEC_H

#include "builder/sandbox/ops.h"
#include "builder/sandbox/spec.h"

#define EXEC_PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The command, prepared: the child only picks the candidate. */
struct exec_command {
	const char *const *candidate; /* paths to try, NULL-terminated, as execvp does */
	const char **argv;            /* of PID 1: its name, the path, the command's argv */
	const char *const *envp;
};

const struct exec_command *exec_prepare(struct op_list *l, const struct sandbox_spec *s);

/* Operations before ids and filter change, and after. */
void exec_plan_before(struct op_list *l);
void exec_plan_after(struct op_list *l);

/* The child: returns only an errno, when nothing could be executed. */
int exec_run(const struct ops_state *st, const struct exec_command *c);

#endif
