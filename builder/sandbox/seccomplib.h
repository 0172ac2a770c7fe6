/* SPDX-License-Identifier: Apache-2.0 */
/* libseccomp, loaded at the first RUN (store/base/dynlib.h). For seccomp.c. */
#ifndef BLD_BUILDER_SANDBOX_SECCOMPLIB_H
#define BLD_BUILDER_SANDBOX_SECCOMPLIB_H

#include <seccomp.h>

#include "store/base/dynlib.h"

#define SECCOMPLIB_CALLS(X) X(resolve_name, seccomp_syscall_resolve_name_arch)

struct seccomplib {
	SECCOMPLIB_CALLS(DYNLIB_SLOT)
};

/* The functions; NULL: ERR_UNSUPPORTED. Any thread. */
const struct seccomplib *seccomplib_get(struct err **err);

#endif
