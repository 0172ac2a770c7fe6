/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes on their way to a file, hashed on the way: the caller fills blocks and writes them, and a
 * second thread hashes them. No byte is copied for it and none is read twice.
 *
 * Two kinds of hashes are made at once: of the whole stream, and of stretches of it that are the
 * contents of files. Where a stretch begins at a multiple of 64 bytes (in a tar it always does) the
 * second hash costs next to nothing (sha256_update2).
 *
 * Memory: HASHPIPE_BLOCKS blocks at most, made when they are needed. All of them together fit into
 * the second-level cache of a core: with 8 MiB of blocks, each byte that is read goes to memory
 * that is no longer in any cache, and reading a large file costs three times as much as hashing it.
 *
 * What is small never starts a thread; on one processor, or where none can be started, the caller
 * hashes. Used by one thread at a time.
 */
#ifndef BLD_STORE_BASE_HASHPIPE_H
#define BLD_STORE_BASE_HASHPIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/cleanup.h"
#include "store/base/io.h"
#include "store/base/sha256.h"

#define HASHPIPE_BLOCK  ((size_t)128 << 10)
#define HASHPIPE_BLOCKS 4
#define HASHPIPE_ALONE  8 /* blocks that the caller hashes before it is worth a thread */

struct hashpipe;

/* whole: the stream is hashed too, not just the marked stretches. */
struct hashpipe *hashpipe_new(struct io_writer out, bool whole);
/* Stops the thread. Digests that were asked for may then be missing. NULL is accepted. */
void hashpipe_free(struct hashpipe *p);

/* Where the next bytes go: at least one byte of room, *n of them. Valid until hashpipe_filled. */
void *hashpipe_room(struct hashpipe *p, size_t *n);
/* The first n bytes of the room are filled. -1: `out` failed, and will not be called again. */
int hashpipe_filled(struct hashpipe *p, size_t n, struct err **err);
/* Copies. */
int hashpipe_put(struct hashpipe *p, const void *data, size_t n, struct err **err);

/*
 * The bytes between begin and end are one content. Its digest goes to *learn (may be NULL) and is
 * compared with *expect (may be NULL). Both must live until hashpipe_finish or hashpipe_free.
 */
void hashpipe_begin(struct hashpipe *p);
void hashpipe_end(struct hashpipe *p, struct digest *learn, const struct digest *expect);

/* n zeros that belong to the content that was begun, and are not in the stream. */
void hashpipe_hole(struct hashpipe *p, uint64_t n);

/* Write what is left and wait for all digests. With out == NULL more may follow; *out ends it. */
int hashpipe_finish(struct hashpipe *p, struct digest *out, struct err **err);
/* After hashpipe_finish: the first `expect` that was not met, or NULL. */
const struct digest *hashpipe_wrong(const struct hashpipe *p);

DEFINE_CLEANUP(struct hashpipe *, hashpipe_free);
#define auto_hashpipe CLEANUP(hashpipe_freep)

#endif
