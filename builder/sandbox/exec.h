/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last steps of the command's process: descriptors, limits, ids, filter, and the program.
 *
 * The program is not executed by bld itself. An image may name "#!/proc/self/exe" as the
 * interpreter of its shell: then the kernel would run bld inside the sandbox, and a descriptor of
 * /proc/self/exe could be opened for writing once bld has ended. So a process of bld executes a
 * tiny program from a sealed memfd first, whose only act is execve(argv[0], argv + 1, envp); what
 * /proc/self/exe names at that time is the memfd. It reports a failure as four bytes of errno on
 * descriptor 3, which the program itself does not get, and does nothing where there is no 3.
 */
#ifndef BLD_BUILDER_SANDBOX_EXEC_H
#define BLD_BUILDER_SANDBOX_EXEC_H

#include "builder/sandbox/ops.h"
#include "builder/sandbox/sandbox.h"

#define EXEC_PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* The sealed program; -1 with an error where memfd cannot be executed. */
int exec_launcher(struct err **err);

/* The command, prepared: the child only picks the candidate. */
struct exec_command {
	const char *const *candidate; /* paths to try, NULL-terminated, as execvp does */
	const char **argv;            /* [0] is for the path, then the command's argv */
	const char *const *envp;
};

const struct exec_command *exec_prepare(struct op_list *l, const struct sandbox_spec *s);

/* Operations of the command's process before ids and filter change, and after. */
void exec_plan_before(struct op_list *l);
void exec_plan_after(struct op_list *l);

/* The child: returns only an errno, when nothing could be executed. */
int exec_run(const struct ops_state *st, const struct exec_command *c);

#endif
