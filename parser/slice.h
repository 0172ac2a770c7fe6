/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A view of text: pointer and length, passed by value, owning nothing.
 *
 * A slice with ptr == NULL means "not given"; a slice with len 0 and ptr != NULL is given and
 * empty. Bytes are unsigned data: NUL and invalid UTF-8 may occur unless a producer says otherwise.
 */
#ifndef BLD_PARSER_SLICE_H
#define BLD_PARSER_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

/* For printf("%.*s", SLICE_ARG(s)); lengths here are far below INT_MAX (input is limited). */
#define SLICE_ARG(s) (int)(s).len, (s).ptr ? (s).ptr : ""

/* Receives output in pieces, in order. The bytes are borrowed for the call. */
typedef void (*slice_sink_fn)(void *ctx, struct slice bytes);

/* View of a NUL-terminated string; NULL gives the "not given" slice. */
struct slice slice_of(const char *s);

/* Bytes [from, from+len), clipped to the slice. */
struct slice slice_sub(struct slice s, size_t from, size_t len);

/* From an offset to the end. */
struct slice slice_from(struct slice s, size_t from);

bool slice_eq(struct slice a, struct slice b);
bool slice_eq_str(struct slice a, const char *b);
/* ASCII letters compare without case. */
bool slice_eq_nocase(struct slice a, const char *b);
bool slice_starts(struct slice s, const char *prefix);
bool slice_has(struct slice s, char c);

/* Offset of the first byte c at or after from; s.len when there is none. */
size_t slice_find(struct slice s, char c, size_t from);

/* Offset of the first occurrence of a string; s.len when there is none. */
size_t slice_find_str(struct slice s, const char *needle);

/* The blanks of the Dockerfile format: space, \t, \v, \f, \r (a newline is counted too). */
bool slice_is_blank(char c);

/* Without leading and/or trailing blanks. The result keeps a non-NULL ptr. */
struct slice slice_trim(struct slice s);
struct slice slice_trim_left(struct slice s);
struct slice slice_trim_right(struct slice s);

/* Order as memcmp, shorter first on a tie: <0, 0, >0. */
int slice_cmp(struct slice a, struct slice b);

#endif
