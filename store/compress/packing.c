// SPDX-License-Identifier: Apache-2.0
/* A row for each compression; "gzip", "zstd:19": how a user says it. */
#include "store/compress/compress.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/fs.h"
#include "store/base/mem.h"

static const struct layer_compression_row rows[] = {
	[LAYER_PLAIN] = {.name = "none"},
	[LAYER_GZIP] = {"gzip", LAYER_GZIP_LEVEL, LAYER_GZIP_LEVELS, {0x1f, 0x8b}, 2},
	[LAYER_ZSTD] = {"zstd", LAYER_ZSTD_LEVEL, LAYER_ZSTD_LEVELS, {0x28, 0xb5, 0x2f, 0xfd}, 4},
};

const struct layer_compression_row *layer_compression_row(enum layer_compression c)
{
	return &rows[c];
}

enum layer_compression layer_compression_of(const void *p, size_t n)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].magic_len && n >= rows[i].magic_len &&
			memcmp(p, rows[i].magic, rows[i].magic_len) == 0)
			return (enum layer_compression)i;
	return LAYER_PLAIN;
}

/* One or two digits; 0 when it is no level. */
static int packing_level_of(const char *text, int most)
{
	int n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9' || p - text == 2)
			return 0;
		n = n * 10 + (*p - '0');
	}
	return n <= most ? n : 0;
}

/* "gzip, gzip:1 to gzip:9, ... or none" */
static int packing_hint(struct err **err)
{
	auto_buf struct buf b;

	buf_init(&b, BUF_TEXT_MAX);
	for (size_t i = LAYER_PLAIN + 1; i < ARRAY_LEN(rows); i++)
		buf_addf(&b, "%s, %s:1 to %s:%d, ", rows[i].name, rows[i].name, rows[i].name,
			rows[i].levels);
	buf_addf(&b, "or %s", rows[LAYER_PLAIN].name);
	return err_hint(err, "%.*s", (int)b.len, (const char *)b.data);
}

int layer_packing_parse(const char *text, struct layer_packing *out, struct err **err)
{
	size_t n = strcspn(text, ":");

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int level = 0;

		if (strlen(rows[i].name) != n || strncmp(rows[i].name, text, n) != 0)
			continue;
		if (text[n] && (level = packing_level_of(text + n + 1, rows[i].levels)) == 0)
			break;
		*out = (struct layer_packing){.c = (enum layer_compression)i, .level = level};
		return 0;
	}
	auto_free char *shown = fs_printable(text);
	/* Forms for lazy pulling: what fetches single files of a layer. */
	bool lazy = strcmp(text, "estargz") == 0 || strcmp(text, "zstd:chunked") == 0;
	err_set(err, ERR_USAGE, lazy ? "%s layers are not supported" : "\"%s\" is no compression",
		shown);
	return packing_hint(err);
}
