/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that the stat index may know, stated beside the walk that lists them. Directories are
 * handed over in the order of the walk; what is learnt does not depend on who does it.
 *
 * The first COPY_RECALL_ALONE files are stated by the caller: a small context starts no thread.
 * After that there are as many threads as processors, COPY_RECALL_THREADS at most with the caller,
 * who does a piece itself when COPY_RECALL_QUEUE of them wait (each holds a descriptor).
 */
#ifndef BLD_BUILDER_COPY_RECALL_H
#define BLD_BUILDER_COPY_RECALL_H

#include <stdint.h>

#include "builder/copy/selection.h"
#include "store/statcache.h"

#define COPY_RECALL_ALONE   1000
#define COPY_RECALL_THREADS 4
#define COPY_RECALL_QUEUE   32
#define COPY_RECALL_PIECE   1024 /* files of one directory that are stated in one piece */

struct copy_recall;

/* The pool is the caller's, also while threads run: they have pools of their own. */
struct copy_recall *copy_recall_new(struct copy_pool *pool);
/*
 * The children of dir that are plain files (COPY_CONTENT_DIR). fd: the directory, borrowed for the
 * call. Until copy_recall_finish nobody moves the children or looks at more of a plain one than its
 * name and its type.
 */
void copy_recall_dir(
	struct copy_recall *r, int fd, struct copy_file *dir, const struct statcache_dir *known);
/* Waits for all and frees r. The first file, in the order of the walk, that could not be looked at,
 * with its errno; or NULL. */
const struct copy_file *copy_recall_finish(struct copy_recall *r);

#endif
