/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords and tokens: a type of its own, so that none is printed by accident; zeroed when freed,
 * and in memory that core dumps leave out. What libcurl and jansson copy is not: bld has no dumps
 * at all (builder/main.c).
 * Also base64, which is how credential files and Basic carry them.
 */
#ifndef BLD_STORE_TRANSPORT_SECRET_H
#define BLD_STORE_TRANSPORT_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "store/base/buf.h"
#include "store/base/cleanup.h"

struct secret;

struct secret *secret_new(const char *p, size_t n);
struct secret *secret_of(const char *text);         /* NULL gives NULL */
struct secret *secret_copy(const struct secret *s); /* NULL gives NULL */
const char *secret_text(const struct secret *s);    /* borrowed; "" for NULL */
size_t secret_length(const struct secret *s);
/* Equal and both there. */
bool secret_equal(const struct secret *a, const struct secret *b);
void secret_free(struct secret *s);

/* "Basic base64(user:password)". */
struct secret *secret_basic(const char *user, const struct secret *password);
/* Decode standard base64, with or without padding; trailing NULs of old tools are cut. NULL when
 * malformed. */
struct secret *secret_base64_decode(const char *text);
struct secret *secret_base64_encode(const void *p, size_t n);

void secret_clear_buf(struct buf *b); /* buf_clear after zeroing */
/* json_decref after zeroing every string value; the document must be nobody else's. */
struct json_t;
void secret_clear_json(struct json_t **doc);
#define auto_secret_json CLEANUP(secret_clear_json)

DEFINE_CLEANUP(struct secret *, secret_free);
#define auto_secret     CLEANUP(secret_freep)
#define auto_secret_buf CLEANUP(secret_clear_buf)

#endif
