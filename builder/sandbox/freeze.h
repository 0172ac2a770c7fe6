/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root of a sandbox that has ended becomes read-only, before its upper directory is taken for a
 * layer. A command may have passed a descriptor of it on, to a RUN of another stage through a
 * socket in a shared cache mount; what that writes later would be in one form of the layer and not
 * in the other.
 */
#ifndef BLD_BUILDER_SANDBOX_FREEZE_H
#define BLD_BUILDER_SANDBOX_FREEZE_H

#include "store/base/err.h"

#define FREEZE_PATIENCE_MS 1000 /* files of dead processes may be closed a little later */

/*
 * root: a descriptor of the root of the overlay's mount, whose namespace has ended. 0; or -1,
 * ERR_BUILD: somebody can still write, with the file and the process where /proc shows them. Where
 * the kernel, or a filter around bld, does not know fspick nothing is done.
 */
int freeze_root(int root, struct err **err);

#endif
