/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emptying bld/trash a little at a time. `bld prune` empties it whole and alone; builds only move
 * things there (renames cost nothing, and ext4 creates files ten times slower for minutes after
 * many deletions), and delete a few files where nobody waits for them.
 *
 * A slice leaves what another process may still have mounted: directory forms and indexes that were
 * found wrong (names "dir." and "index."). Everything else here has no user left.
 */
#ifndef BLD_STORE_TRASH_H
#define BLD_STORE_TRASH_H

#include <stdbool.h>

#include "store/store.h"

#define TRASH_SLICE_BYTES ((uint64_t)256 << 20) /* a larger file goes piece by piece */

/* Delete at most max files and directories, or one piece of a large file. How many; fewer than max:
 * the rest of the trash, if any, is not for slices. Any number of threads and processes may do so;
 * one that is killed leaves nothing wrong. */
size_t trash_slice(struct store *s, size_t max);

#endif
