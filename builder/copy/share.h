/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What selections of one root share: the directories that were walked, by canonical path, with what
 * is known of the files in them, and the stat index they come from and go to. A selection whose
 * root has none makes one for itself.
 *
 * The index is written when at least SHARE_INDEX_FILES files or SHARE_INDEX_BYTES were hashed that
 * it did not know: below that, reading an index costs more than hashing. It keeps what it has of
 * directories that this build did not walk.
 */
#ifndef BLD_BUILDER_COPY_SHARE_H
#define BLD_BUILDER_COPY_SHARE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "builder/copy/copy.h"
#include "builder/copy/pool.h"
#include "store/statcache.h"

#define SHARE_INDEX_FILES 16
#define SHARE_INDEX_BYTES ((uint64_t)128 << 10)

struct copy_file;

struct copy_share {
	struct store *store;      /* borrowed; NULL: no index */
	int fd;                   /* borrowed; -1 */
	struct digest id;         /* of the index */
	struct statcache *index;  /* owned, or NULL */
	bool opened;              /* the index was looked for */
	struct copy_pool pool;    /* of all files */
	void *dirs;               /* of struct copy_file, by path (tsearch) */
	struct copy_file **named; /* owned array: files that were named by themselves */
	size_t nnamed;
	size_t cap_named;
	size_t nfiles;
	uint64_t born;    /* of the first walk, ms */
	size_t new_files; /* hashed and not in the index */
	uint64_t new_bytes;
	uint64_t dev; /* the file system asked last, and its answer */
	bool dev_known;
	bool dev_usable;
	pthread_mutex_t lock;
	pthread_cond_t free;
	bool taken; /* under the lock */
};

/* Have it alone; forgets walks that are too old. False: `cancelled` (may be NULL) became non-zero
 * while another thread had it, and it is not ours. */
bool copy_share_take(struct copy_share *c, const atomic_int *cancelled);
void copy_share_release(struct copy_share *c);

/* A directory that was walked, or NULL. */
struct copy_file *copy_share_find(const struct copy_share *c, const char *path);
/* A walked tree is complete: its directories can be found from now on. */
void copy_share_add(struct copy_share *c, struct copy_file *dir);
/* Are the times of this file's file system good for the index? fd: a file or directory on it. */
bool copy_share_usable(struct copy_share *c, uint64_t dev, int fd);
/* The index, or NULL. */
const struct statcache *copy_share_index(struct copy_share *c);
/* A file that was named and stated: its digest, if it is known. It will be recorded. */
void copy_share_name(struct copy_share *c, struct copy_file *f);
/* Contents were hashed. */
void copy_share_hashed(struct copy_share *c, size_t files, uint64_t bytes);

#endif
