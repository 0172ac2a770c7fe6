/* SPDX-License-Identifier: Apache-2.0 */
/* The directory below all layers: see sandbox_give_skeleton(). */
#ifndef BLD_BUILDER_SANDBOX_SKELETON_H
#define BLD_BUILDER_SANDBOX_SKELETON_H

#include "builder/sandbox/spec.h"
#include "store/base/err.h"

/* Fill an empty directory. 0 / -1 */
int skeleton_fill(int dir_fd, struct err **err);

#endif
