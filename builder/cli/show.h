/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands write to standard output: escaped text, tables, JSON.
 *
 * JSON is built compact in a buffer and printed indented; strings from outside are valid UTF-8
 * afterwards, and characters that could drive a terminal or turn the direction of text are \u
 * escapes.
 */
#ifndef BLD_BUILDER_CLI_SHOW_H
#define BLD_BUILDER_CLI_SHOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/base/buf.h"
#include "store/base/sha256.h"
#include "store/base/strlist.h"

/* printf to standard output; control characters of the result, except newline and tab, are escaped.
 */
void show_line(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#define SHOW_COLUMNS_MAX 8

struct show_table {
	size_t ncolumns;
	struct strlist
		cells; /* row after row, the first one is the head; texts from outside are fine */
};
void show_table_row(struct show_table *t, const char *const *cells);
/* Columns as wide as their widest cell; the last one is not padded. Clears the table. */
void show_table_print(struct show_table *t);

#define SHOW_SHORT_ID 12
/* First 12 digits: what is called image ID. */
const char *show_short_id(const struct digest *d, char out[DIGEST_HEX]);

/* JSON, one call after the other; commas are put where they belong. key == NULL inside arrays. */
struct show_json {
	struct buf b;
	bool comma;
};
void show_json_init(struct show_json *j);
void show_json_open(struct show_json *j, const char *key, char bracket);        /* '{' or '[' */
void show_json_close(struct show_json *j, char bracket);                        /* '}' or ']' */
void show_json_string(struct show_json *j, const char *key, const char *value); /* NULL = null */
void show_json_digest(struct show_json *j, const char *key, const struct digest *d);
void show_json_number(struct show_json *j, const char *key, uint64_t value);
void show_json_bool(struct show_json *j, const char *key, bool value);
/* A complete JSON value that was parsed by somebody before. */
void show_json_raw(struct show_json *j, const char *key, const char *p, size_t n);
/* Indented by two, newline at the end; append to out. */
void show_json_pretty(const struct show_json *j, struct buf *out);
void show_json_print(const struct show_json *j);
void show_json_clear(struct show_json *j);
#define auto_show_json CLEANUP(show_json_clear)

#endif
