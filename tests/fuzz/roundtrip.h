/* SPDX-License-Identifier: Apache-2.0 */
/* A Dockerfile printed from its tree parses to the same tree. */
#ifndef BLD_TESTS_FUZZ_ROUNDTRIP_H
#define BLD_TESTS_FUZZ_ROUNDTRIP_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "parser/dockerfile.h"

static inline void roundtrip_collect(void *ctx, struct slice bytes)
{
	if (fwrite(bytes.ptr, 1, bytes.len, ctx) != bytes.len)
		abort();
}

/* free() it. */
static inline char *roundtrip_text(const struct dockerfile *df,
	void (*print)(const struct dockerfile *df, slice_sink_fn sink, void *ctx), size_t *len)
{
	char *out = NULL;
	FILE *f = open_memstream(&out, len);

	if (!f)
		abort();
	print(df, roundtrip_collect, f);
	fclose(f);
	return out;
}

/* Takes the line numbers out of a JSON dump. Inside strings a quote is escaped, so that the keys
 * are found nowhere else. */
static inline void roundtrip_cut(char *json, const char *key)
{
	char *to = json, *from = json, *at;

	while ((at = strstr(from, key))) {
		memmove(to, from, (size_t)(at - from));
		to += at - from;
		from = at + strlen(key);
		from += strspn(from, "0123456789");
	}
	memmove(to, from, strlen(from) + 1);
}

/* The dump without spans; free() it. */
static inline char *roundtrip_dump(const struct dockerfile *df)
{
	size_t len;
	char *json = roundtrip_text(df, dockerfile_dump_json, &len);

	roundtrip_cut(json, ",\"line\":");
	roundtrip_cut(json, ",\"end_line\":");
	return json;
}

/* Whether there is a whole tree: no errors but uses of what the builder cannot do yet. */
static inline bool roundtrip_applies(const struct dockerfile *df)
{
	if (!df->nstages && !df->trigger)
		return false;
	if (df->diags.count != df->diags.errors + df->diags.warnings)
		return false;
	for (size_t i = 0; i < df->diags.count; i++)
		if (df->diags.items[i].severity == DIAG_ERROR &&
			strcmp(df->diags.items[i].rule, "not-supported") != 0)
			return false;
	return true;
}

/* True when the tree survives; else what differs goes to stderr. */
static inline bool roundtrip_holds(const struct dockerfile *df)
{
	size_t len;
	char *text = roundtrip_text(df, dockerfile_print, &len);
	struct slice printed = {text, len};
	struct dockerfile *again = df->trigger ? dockerfile_parse_trigger(SLICE("printed"), printed)
					       : dockerfile_parse(SLICE("printed"), printed);
	char *want = roundtrip_dump(df), *got = roundtrip_dump(again);
	bool same = roundtrip_applies(again) && strcmp(want, got) == 0;

	if (!same) {
		fprintf(stderr, "printed:\n%s\nwant:\n%sgot:\n%s", text, want, got);
		dockerfile_report(again, roundtrip_collect, stderr);
	}
	dockerfile_free(again);
	free(want);
	free(got);
	free(text);
	return same;
}

#endif
