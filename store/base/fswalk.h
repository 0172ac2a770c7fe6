/* SPDX-License-Identifier: Apache-2.0 */
/*
 * openat2 in user space, one component at a time, for kernels and seccomp filters that
 * refuse the system call. fs_open_beneath falls back to it; the unit test runs both on the
 * same trees.
 *
 * Differences from the kernel, all on the safe side: a rename during the walk is not noticed
 * (every step still starts from a descriptor that was reached inside the root), and a magic link
 * of procfs is read as the text it shows, which resolves inside the root like any other.
 */
#ifndef BLD_STORE_BASE_FSWALK_H
#define BLD_STORE_BASE_FSWALK_H

#include "store/base/fs.h"

int fswalk_open(int root_fd, const char *path, int flags, mode_t mode, enum fs_resolve how);

#endif
