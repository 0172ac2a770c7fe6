/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values that must not be seen, found in streams of bytes: as they are; in base64, at each of the
 * three places a value can have in a group, with both alphabets and with or without padding; and
 * with any of their bytes written as %XX, or spaces as "+". A match may go over any number of reads
 * and lines: line ends between its bytes do not count, as base64(1) makes them (once
 * MASK_FOLD_MIN bytes of it were there, so that lines are not held back for nothing).
 *
 * Only values of MASK_VALUE_MIN bytes or more, without the line ends at their end: what is shorter
 * is found everywhere. Of a longer one than MASK_VALUE_MAX the first so many bytes are looked for.
 *
 * Of base64 the first and the last character may hold bits of a neighbour; those are not matched,
 * and stay.
 *
 * One automaton of all patterns (Aho and Corasick); the cost is one to four steps a byte, and next
 * to nothing for bytes that begin no pattern.
 */
#ifndef BLD_BUILDER_SECRETS_MASK_H
#define BLD_BUILDER_SECRETS_MASK_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/cleanup.h"

#define MASK_VALUE_MIN 8
#define MASK_VALUE_MAX 4096
#define MASK_FOLD_MIN  4                   /* bytes of a match before a line may end in it */
#define MASK_FOLD_RUN  2                   /* line ends in a row: CR LF */
#define MASK_NODES_MAX ((size_t)4 << 20)   /* of the automaton; what is beyond is not looked for */
#define MASK_LINES_MAX ((size_t)512 << 10) /* the share of single lines */
#define MASK_TEXT      "***"

struct mask;        /* constant once made: for any number of threads */
struct mask_stream; /* what was fed so far */
struct mask_search;

struct mask_value {
	const void *p; /* borrowed during mask_new */
	size_t n;
};

/* NULL when no value is long enough. lines: lines of at least MASK_VALUE_MIN bytes of a value of
 * several lines count too (of a key somebody may print one). The memory is kept out of core dumps
 * and wiped on free. */
struct mask *mask_new(const struct mask_value *v, size_t n, bool lines);
void mask_free(struct mask *m);

/* Replace: bytes go to out, each match as MASK_TEXT. What may be the beginning of a match waits for
 * the next bytes. */
typedef void (*mask_out)(void *ctx, const void *p, size_t n);
struct mask_stream *mask_stream_new(const struct mask *m, mask_out out, void *ctx);
void mask_stream_feed(struct mask_stream *s, const void *p, size_t n);
void mask_stream_end(struct mask_stream *s); /* nothing comes any more: out with what waits */
void mask_stream_free(struct mask_stream *s);

/* A text of its own, replaced; owned. m may be NULL. */
char *mask_text(const struct mask *m, const char *text);

/* Find: the index of a value that ends in these bytes, or -1. What stands behind a match is not
 * looked at, and the next bytes begin anew. */
struct mask_search *mask_search_new(const struct mask *m);
int mask_search_feed(struct mask_search *s, const void *p, size_t n);
void mask_search_reset(struct mask_search *s);
void mask_search_free(struct mask_search *s);

DEFINE_CLEANUP(struct mask *, mask_free);
#define auto_mask CLEANUP(mask_freep)
DEFINE_CLEANUP(struct mask_stream *, mask_stream_free);
#define auto_mask_stream CLEANUP(mask_stream_freep)
DEFINE_CLEANUP(struct mask_search *, mask_search_free);
#define auto_mask_search CLEANUP(mask_search_freep)

#endif
