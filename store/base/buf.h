/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer with a mandatory maximum. Always NUL-terminated behind
 * len, so that text can be handed to C. Past the maximum an append is refused:
 * buf_add returns -1 and `full` stays set, so a chain of appends is checked once.
 */
#ifndef BLD_STORE_BASE_BUF_H
#define BLD_STORE_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/base/cleanup.h"

struct buf {
	char *data; /* owned; never NULL after buf_init */
	size_t len;
	size_t cap;
	size_t max;
	bool full;
};

#define BUF_TEXT_MAX ((size_t)64 << 20) /* for text that bld itself makes */

void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* frees; usable again after buf_init */
void buf_reset(struct buf *b); /* len = 0, keeps the memory */
int buf_add(struct buf *b, const void *p, size_t n);
int buf_adds(struct buf *b, const char *s);
int buf_addc(struct buf *b, char c);
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Append text from outside for people to read: control bytes, DEL, invalid UTF-8 and
 * bidirectional controls become \xNN or \u{...}; newline and tab too unless keep_lines. */
int buf_add_escaped(struct buf *b, const char *s, size_t n, bool keep_lines);
/* Append text as valid UTF-8: every byte that is not part of a sequence becomes U+FFFD. */
int buf_add_utf8(struct buf *b, const char *s, size_t n);
char *buf_take(struct buf *b); /* the bytes, owned by the caller; b is cleared */

static inline void cleanup_buf(struct buf *b)
{
	buf_clear(b);
}
#define auto_buf CLEANUP(cleanup_buf)

#endif
