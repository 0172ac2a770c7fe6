/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Locks that die with their owner: open-file-description locks (F_OFD_SETLK) on a
 * file that may stay behind empty. Never pid files. A forked child shares the lock until it
 * execs or closes the descriptor, so children that live on close what they inherit.
 */
#ifndef BLD_STORE_BASE_LOCK_H
#define BLD_STORE_BASE_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"

enum lock_mode { LOCK_SHARED, LOCK_EXCLUSIVE };

/*
 * Take a lock on dir_fd/name (created 0600). Returns a descriptor that holds it until it is closed.
 * With wait=false a busy lock gives -1, errno EWOULDBLOCK and no err.
 */
int lock_take(int dir_fd, const char *name, enum lock_mode mode, bool wait, struct err **err);
/* The same on a descriptor that is open already: 0, or -1 with errno (EWOULDBLOCK when busy,
 * EACCES: an exclusive one on a file that is open for reading only). */
int lock_fd(int fd, enum lock_mode mode, bool wait);
/* One byte of the file, at any offset below 2^62 (it need not exist): many locks in one file. */
int lock_byte(int fd, uint64_t offset, enum lock_mode mode, bool wait);
int lock_release(int fd); /* give back all that fd holds: 0 / -1 errno */

#endif
