/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Detached mounts where fsopen(2) is refused (seccomp filters of containers, Linux before 5.2 had
 * none): a helper process in a mount namespace of its own calls mount(2) and clones the mount out.
 * Nothing is ever attached where anybody sees it. Costs a process for each mount.
 */
#ifndef BLD_BUILDER_SANDBOX_OLDMOUNT_H
#define BLD_BUILDER_SANDBOX_OLDMOUNT_H

#include "builder/sandbox/kernel.h"

/* As kernel_fs_mount: descriptor, -1 errno. Options take at most OLDMOUNT_OPTIONS bytes (EINVAL).
 */
#define OLDMOUNT_OPTIONS 512
int oldmount_fs(const struct kernel_fs *f);

#endif
