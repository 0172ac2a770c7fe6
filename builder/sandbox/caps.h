/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities and ids of the command. Bounding = permitted = effective for uid 0, none effective
 * for others; inheritable and ambient are always empty.
 */
#ifndef BLD_BUILDER_SANDBOX_CAPS_H
#define BLD_BUILDER_SANDBOX_CAPS_H

#include "builder/sandbox/ops.h"
#include "builder/sandbox/probe.h"
#include "builder/sandbox/spec.h"

/* What this process may do, and the highest capability of the kernel. 0 / -1 errno */
int caps_own(uint64_t *permitted, unsigned *last);

/* Groups and gid (any time), then, after the filter is in place, bounding set, uid and the rest. */
void caps_plan_groups(struct op_list *l, const struct sandbox_spec *s);
void caps_plan_drop(struct op_list *l, const struct sandbox_spec *s, const struct probe *p);

#endif
