/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits and umask of the command. Hard limits are only ever lowered. */
#ifndef BLD_BUILDER_SANDBOX_LIMITS_H
#define BLD_BUILDER_SANDBOX_LIMITS_H

#include "builder/sandbox/ops.h"

#define LIMITS_FILES 1048576 /* or the caller's hard limit, when that is lower */

void limits_plan(struct op_list *l);

#endif
