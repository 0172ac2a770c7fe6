// SPDX-License-Identifier: Apache-2.0
/*
 * Any bytes as a Dockerfile and as an ONBUILD trigger: no crash, every span inside the source,
 * every report and dump can be printed, and a tree without errors survives being printed as a
 * Dockerfile.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/ignore.h"
#include "parser/lint.h"
#include "tests/fuzz/roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *ctx, struct slice bytes)
{
	size_t *total = ctx;

	/* Touch every byte: an engine with a sanitizer sees a slice that lies outside its buffer.
	 */
	for (size_t i = 0; i < bytes.len; i++)
		*total += (unsigned char)bytes.ptr[i];
}

static void check_span(const struct dockerfile *df, struct span span)
{
	assert(span.off <= df->source.text.len);
	assert(span.len <= df->source.text.len - span.off);
}

static void check_instruction(const struct dockerfile *df, const struct ast_instruction *ins)
{
	check_span(df, ins->span);
	check_span(df, ins->keyword_span);
	assert(ins->first_line >= 1 && ins->first_line <= ins->last_line);
	assert(ins->last_line <= df->source.nlines);
}

static void base(
	void *ctx, size_t stage, struct slice image, struct slice platform, struct lint_base *out)
{
	static const struct slice env[] = {{"PATH=/x", 7}, {"a=b", 3}};

	(void)ctx;
	*out = (struct lint_base){.known = image.len % 2 == 0,
		.env = env,
		.nenv = sizeof env / sizeof *env,
		.shell = stage % 2 == 0};
	if (platform.len) {
		out->platform = SLICE("linux/arm64");
		out->expected = platform;
	}
}

static bool is_context(void *ctx, struct slice name)
{
	(void)ctx;
	return name.len == 3;
}

static bool is_image(void *ctx, struct slice name)
{
	(void)ctx;
	return name.len && name.ptr[0] != 'A';
}

static void lint(const struct dockerfile *df, const struct lint_opts *o)
{
	struct lint_result *r = lint_run(df, o);
	struct lint_sarif sarif = {.df = df, .result = r, .uri = df->source.name};
	size_t total = 0;

	assert(r->found >= r->count && r->count <= LINT_FINDINGS_MAX);
	for (size_t i = 0; i < r->count; i++)
		check_span(df, r->items[i].diag.span);
	lint_render_text(r, count, &total);
	lint_render_json(df, r, NULL, count, &total);
	lint_render_sarif(&sarif, count, &total);
	lint_free(r);
}

/* With nothing known, and with everything. */
static void check_lint(const struct dockerfile *df)
{
	const struct slice args[] = {SLICE("A=b"), SLICE("x=ctx")},
			   automatic[] = {SLICE("TARGETPLATFORM=linux/amd64")};
	struct ignore *ig = ignore_parse(SLICE(".dockerignore"), SLICE("a\n*.md\n!b.md\n**/x\n"));

	lint(df, &(struct lint_opts){.portable = true});
	lint(df, &(struct lint_opts){.build_args = args,
			 .nbuild_args = sizeof args / sizeof *args,
			 .automatic = automatic,
			 .nautomatic = 1,
			 .ignore = ig,
			 .check = SLICE("experimental=all"),
			 .certain = df->nstages % 2,
			 .base = base,
			 .context = is_context,
			 .image_name = is_image});
	ignore_free(ig);
}

static void check(struct dockerfile *df)
{
	size_t total = 0;

	for (size_t i = 0; i < df->diags.count; i++)
		check_span(df, df->diags.items[i].span);
	if (df->trigger)
		check_instruction(df, df->trigger);
	for (size_t i = 0; i < df->globals.count; i++)
		check_instruction(df, df->globals.items[i]);
	for (size_t s = 0; s < df->nstages; s++) {
		assert(df->stages[s].from || df->diags.errors);
		for (size_t i = 0; i < df->stages[s].body.count; i++)
			check_instruction(df, df->stages[s].body.items[i]);
	}
	assert(df->nstages || df->diags.errors || df->trigger);
	dockerfile_report(df, count, &total);
	dockerfile_dump_text(df, count, &total);
	dockerfile_dump_json(df, count, &total);
	if (df->diags.errors == 0 && df->nstages)
		check_lint(df);
	assert(!roundtrip_applies(df) || roundtrip_holds(df));
	dockerfile_free(df);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = {(const char *)data, size};

	check(dockerfile_parse(SLICE("Dockerfile"), text));
	check(dockerfile_parse_trigger(SLICE("ONBUILD"), text));
	return 0;
}
