// SPDX-License-Identifier: Apache-2.0
/*
 * What git says about the submodules of a commit from outside: the list of the tree, then the
 * values of .gitmodules, each item with a NUL behind it; a line "--" between the two. Then each
 * URL as bld resolves it against that of the repository.
 */
#include "builder/git/gitmodules.c"
#include "builder/git/gitmodules.h"
#include "parser/giturl.h"
#include "tests/fuzz/fuzzkit.h"

static void resolve(const char *url)
{
	struct arena *a = arena_new();
	const char *why = NULL;
	const char *full = giturl_submodule(
		a, "https://example.org/a/b.git", (struct slice){url, strlen(url)}, &why);

	fuzz_must(full || why);
	/* Nothing that git could take for an option or a helper, and nothing to trick a terminal.
	 */
	for (const char *p = full; p && *p; p++)
		fuzz_must((unsigned char)*p > ' ' && *p != 0x7f);
	fuzz_must(!full || (*full != '-' && !fuzz_names_helper(full)));
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gitmodules m = {0};
	struct buf tree, config;
	const uint8_t *cut = memmem(data, size, "\n--\n", 4);
	size_t n = cut ? (size_t)(cut - data) : size;

	buf_init(&tree, GITRUN_OUT_MAX);
	buf_init(&config, GITRUN_OUT_MAX);
	buf_add(&tree, data, n);
	if (cut)
		buf_add(&config, cut + 4, size - n - 4);
	if (tree.data)
		take_links(&tree, &m);
	if (config.data)
		take_urls(&config, &m);
	for (size_t i = 0; i < m.n; i++) {
		fuzz_must(m.v[i].path && m.v[i].commit);
		if (m.v[i].url)
			resolve(m.v[i].url);
	}
	gitmodules_clear(&m);
	buf_clear(&tree);
	buf_clear(&config);
	return 0;
}
