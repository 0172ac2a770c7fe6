/* SPDX-License-Identifier: Apache-2.0 */
/* How many processors this process may use: one system call, no file of /sys. */
#ifndef BLD_STORE_BASE_CPUS_H
#define BLD_STORE_BASE_CPUS_H

unsigned cpus_usable(void); /* at least 1 */

#endif
