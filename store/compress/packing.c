// SPDX-License-Identifier: Apache-2.0
/* "gzip", "zstd:19": how a user says it. */
#include "store/compress/compress.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/fs.h"
#include "store/base/mem.h"

static const struct {
	const char *name;
	enum layer_compression c;
	int most; /* 0: no levels */
} words[] = {
	{"gzip", LAYER_GZIP, LAYER_GZIP_LEVELS},
	{"zstd", LAYER_ZSTD, LAYER_ZSTD_LEVELS},
	{"none", LAYER_PLAIN, 0},
};

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

int layer_packing_parse(const char *text, struct layer_packing *out, struct err **err)
{
	size_t n = strcspn(text, ":");

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		int level = 0;

		if (strlen(words[i].name) != n || strncmp(words[i].name, text, n) != 0)
			continue;
		if (text[n] && (level = packing_level_of(text + n + 1, words[i].most)) == 0)
			break;
		*out = (struct layer_packing){.c = words[i].c, .level = level};
		return 0;
	}
	auto_free char *shown = fs_printable(text);
	/* Forms for lazy pulling: what fetches single files of a layer. */
	bool lazy = strcmp(text, "estargz") == 0 || strcmp(text, "zstd:chunked") == 0;
	err_set(err, ERR_USAGE, lazy ? "%s layers are not supported" : "\"%s\" is no compression",
		shown);
	return err_hint(err, "gzip, gzip:1 to gzip:%d, zstd, zstd:1 to zstd:%d, or none",
		LAYER_GZIP_LEVELS, LAYER_ZSTD_LEVELS);
}
