/* SPDX-License-Identifier: Apache-2.0 */
/* /dev of a sandbox: a tmpfs of ours with the devices that every program may expect. */
#ifndef BLD_BUILDER_SANDBOX_DEVICES_H
#define BLD_BUILDER_SANDBOX_DEVICES_H

#include "builder/sandbox/ops.h"

/* Sets OPS_DEV and OPS_NULL. In the new root. */
void devices_plan(struct op_list *l);
/* Where no control group limits which devices can be opened: only the nodes that are in /dev now
 * can be, none that the command makes there. After everything that is made of them. */
void devices_plan_guard(struct op_list *l);

#endif
