/* SPDX-License-Identifier: Apache-2.0 */
/* The table of the types of RUN --mount. */
#ifndef BLD_BUILDER_RUN_MOUNTTYPES_H
#define BLD_BUILDER_RUN_MOUNTTYPES_H

#include "builder/run/runmount.h"

const struct mounttype *mounttypes_of(const struct runmount *m);

#endif
