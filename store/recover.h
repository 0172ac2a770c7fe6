/* SPDX-License-Identifier: Apache-2.0 */
/* What processes that died left in bld/tmp: NAME is alive as long as NAME.lock is locked. */
#ifndef BLD_STORE_RECOVER_H
#define BLD_STORE_RECOVER_H

/* Move every dead NAME from directory tmp to directory trash, and remove its lock. The caller holds
 * bld/locks/tmp. What fails is left for the next one. */
void recover_dead(int tmp_fd, int trash_fd);

#endif
