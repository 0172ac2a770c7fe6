/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Namespaces of a sandbox: flags for clone, the private mount namespace, the change of the root.
 */
#ifndef BLD_BUILDER_SANDBOX_NAMESPACE_H
#define BLD_BUILDER_SANDBOX_NAMESPACE_H

#include "builder/sandbox/cgroups.h"
#include "builder/sandbox/ops.h"
#include "builder/sandbox/spec.h"

/* Flags for clone. The mount namespace follows later: the layers are opened in the first one. */
uint64_t namespace_flags(const struct sandbox_spec *s);

/* First of all: close everything that the sandbox does not need, leave the caller's session,
 * mount a fresh procfs (detached). */
void namespace_plan_first(struct op_list *l);
/* An insecure command leaves the list of devices; the others begin where the forker is. */
void namespace_plan_group(
	struct op_list *l, const struct sandbox_spec *s, const struct cgroups *groups);
/* A mount namespace of our own, private, seen from its true root even when bld is in a chroot. */
void namespace_plan_mounts(struct op_list *l);
/* Attach the detached mount in a slot where nobody sees it: before Linux 6.15 the kernel clones
 * only what is attached. It is gone after the change of the root; its clones are not. */
void namespace_plan_park(struct op_list *l, int slot, const char *what);
/* OPS_ROOT becomes "/"; the old root is gone. attached: the mount is in the tree already. */
void namespace_plan_pivot(struct op_list *l, bool attached);
/* Host name, session keyring. */
void namespace_plan_names(struct op_list *l, const char *hostname);

#endif
