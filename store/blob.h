/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Content-addressed files: blobs/sha256/HEX. Written without a name (tempfile.h), hashed while
 * written, and then given theirs; an object that is there already and can be trusted stays. Never
 * synced here. What is larger than a block of the pipe is hashed by a thread of its own.
 */
#ifndef BLD_STORE_BLOB_H
#define BLD_STORE_BLOB_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/hashpipe.h"
#include "store/base/io.h"
#include "store/base/sha256.h"
#include "store/store.h"

struct blob_writer;

struct blob_writer *blob_create(struct store *s, struct err **err);
struct io_writer blob_stream(struct blob_writer *w);
/* The same for writers that fill the blocks themselves; borrowed. */
struct hashpipe *blob_pipe(struct blob_writer *w);
/* Somebody else who sees all the bytes, in order, each before it is written; before the first one.
 * What he says does not count. */
void blob_tap(struct blob_writer *w, struct io_writer tap);
/* For reading what was written so far: borrowed descriptor, *n bytes. Use pread. */
int blob_readable(const struct blob_writer *w, uint64_t *n);
/* What else the content has to be: called by blob_commit() when the digest is right and nothing is
 * published yet, with a descriptor to read from. -1 with *err: it is not published. */
typedef int blob_check_fn(void *ctx, int fd, uint64_t size, struct err **err);
void blob_check(struct blob_writer *w, blob_check_fn *check, void *ctx);
/* Publish. want == NULL: any digest; else one that differs is ERR_CORRUPT and nothing is published.
 * The file stays readable as *fd when fd != NULL (owned by the caller). Frees nothing: blob_free
 * always. */
int blob_commit(struct blob_writer *w, const struct digest *want, struct digest *out, int *fd,
	struct err **err);
void blob_free(struct blob_writer *w);

/* Publish a file of `n` bytes that the caller knows to have this digest. */
struct tempfile;
int blob_put_file(
	struct store *s, struct tempfile *t, const struct digest *d, uint64_t n, struct err **err);
/* Bytes at once; idempotent. */
int blob_put(struct store *s, const void *p, size_t n, struct digest *out, struct err **err);

/* Open for reading. Verifies first when the object is of another boot and not known to be synced: a
 * wrong one is removed and reported as missing. ERR_NOT_FOUND when it is missing. size may be NULL.
 */
int blob_open(struct store *s, const struct digest *d, uint64_t *size, struct err **err);
/* Whole content, verified, at most max bytes; owned. */
char *blob_read(struct store *s, const struct digest *d, size_t max, size_t *len, struct err **err);
/* Is it there (and trustworthy: same check as blob_open)? 1, 0, or -1: nobody knows, since it could
 * not be looked at. size may be NULL. */
int blob_exists(struct store *s, const struct digest *d, uint64_t *size, struct err **err);
int blob_remove(struct store *s, const struct digest *d);
/* Hash again: 1 good, 0 wrong, -1 error (ERR_NOT_FOUND). */
int blob_verify(struct store *s, const struct digest *d, struct err **err);
/* The digest of all that an open file has. 0 / -1 errno. */
int blob_hash_fd(int fd, struct digest *out);
/* After store_sync: forget that it might be torn. */
void blob_mark_synced(struct store *s, const struct digest *d);

DEFINE_CLEANUP(struct blob_writer *, blob_free);
#define auto_blob_writer CLEANUP(blob_freep)

#endif
