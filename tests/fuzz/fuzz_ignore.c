// SPDX-License-Identifier: Apache-2.0
/*
 * A path up to a newline, then a .dockerignore. A directory that may be skipped has nothing kept
 * below it.
 */
#include <assert.h>
#include <stdint.h>

#include "parser/diag.h"
#include "parser/ignore.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, struct slice bytes)
{
	*(size_t *)ctx += bytes.len;
}

/* Clean and relative, as the contract of ignore_match demands. */
static bool is_path(struct slice s)
{
	return s.len > 0 && s.ptr[0] != '/' && s.ptr[s.len - 1] != '/' &&
	       slice_find_str(s, "//") == s.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = {(const char *)data, size};
	size_t n = slice_find(all, '\n', 0), line = 0, total = 0;
	struct slice path = slice_sub(all, 0, n);
	struct ignore *ig = ignore_parse(SLICE(".dockerignore"), slice_from(all, n + 1));
	const struct diag_list *diags = ignore_diags(ig);

	for (size_t i = 0; i < diags->count; i++)
		diag_render_text(ignore_source(ig), &diags->items[i], count, &total);
	if (diags->errors == 0 && is_path(path)) {
		bool excluded = ignore_match(ig, path, &line);

		assert(line <= ignore_source(ig)->nlines);
		assert(!excluded || line > 0);
		for (size_t at = 0; (at = slice_find(path, '/', at)) < path.len; at++)
			if (!excluded)
				assert(!ignore_match(ig, slice_sub(path, 0, at), NULL) ||
					ignore_may_contain(ig, slice_sub(path, 0, at)));
	}
	ignore_free(ig);
	return 0;
}
