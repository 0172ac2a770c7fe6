/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system call filter of the command: calls are allowed by number; those that are known and
 * unwanted get EPERM, some others by their arguments; every other gets ENOSYS, so that programs
 * fall back as on an older kernel. Compiled once per runner.
 */
#ifndef BLD_BUILDER_SANDBOX_SECCOMP_H
#define BLD_BUILDER_SANDBOX_SECCOMP_H

#include <linux/filter.h>

#include "builder/sandbox/ops.h"
#include "store/base/err.h"

struct sandbox_seccomp {
	struct sock_fprog prog; /* filter: owned */
};

int sandbox_seccomp_compile(struct sandbox_seccomp *f, struct err **err);
void sandbox_seccomp_clear(struct sandbox_seccomp *f);
/* Load it. That needs CAP_SYS_ADMIN, so it comes before the caps go. */
void sandbox_seccomp_plan(struct op_list *l, const struct sandbox_seccomp *f);

#endif
