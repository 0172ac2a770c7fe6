/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Typed getters over jansson with the path in the message
 * ("config.Env[3]: expected string"), and the strict loader that every document
 * from outside goes through: a size limit, no duplicate keys, NUL refused.
 * Only this file's users in store/ may include <jansson.h>.
 */
#ifndef BLD_STORE_BASE_JSONX_H
#define BLD_STORE_BASE_JSONX_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/base/strlist.h"

/* Values of one document (objects, arrays, strings, numbers, ...). Each takes up to 240 bytes of
 * memory, and as few as 3 of text. */
#define JSONX_VALUES_MAX 500000

/* Choose the secret of jansson's hash tables, before there are threads. Without it jansson reads
 * /dev/urandom. */
void jsonx_start(void);

/* New reference, or NULL with ERR_CORRUPT, or ERR_LIMIT: more than max bytes or JSONX_VALUES_MAX
 * values, counted before a tree is made. `what` names the document in messages. */
json_t *jsonx_load(const char *p, size_t n, size_t max, const char *what, struct err **err);
/* Compact, keys in insertion order: the bytes that are hashed. Owned by the caller. */
char *jsonx_dump(const json_t *j, size_t *len);

/* A string value of any bytes: what is not UTF-8 becomes U+FFFD, as in other builders. Never NULL.
 */
json_t *jsonx_text(const char *s);
/* Add key: value (taken); the key is treated like jsonx_text. */
void jsonx_set(json_t *o, const char *key, json_t *take_value);
/* Add key: text unless text is NULL. */
void jsonx_set_text(json_t *o, const char *key, const char *text);
json_t *jsonx_from_strlist(const struct strlist *l);

/* Borrowed member; required = true makes a missing one an error. Missing optional: *out NULL, 0.
 * JSON null counts as missing. A missing optional int or digest leaves *out as it was, a missing
 * list empties it; a list replaces what out held. path: where o is in its document, "" for the top.
 */
int jsonx_object(json_t *o, const char *key, bool required, const char *path, json_t **out,
	struct err **err);
int jsonx_array(json_t *o, const char *key, bool required, const char *path, json_t **out,
	struct err **err);
int jsonx_string(json_t *o, const char *key, bool required, const char *path, const char **out,
	struct err **err);
int jsonx_int(json_t *o, const char *key, bool required, const char *path, int64_t *out,
	struct err **err);
int jsonx_digest(json_t *o, const char *key, bool required, const char *path, struct digest *out,
	struct err **err);
int jsonx_strlist(
	json_t *o, const char *key, const char *path, struct strlist *out, struct err **err);

static inline void cleanup_json(json_t **j)
{
	if (*j)
		json_decref(*j);
}
#define auto_json CLEANUP(cleanup_json)

#endif
