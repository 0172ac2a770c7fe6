// SPDX-License-Identifier: Apache-2.0
/* The parse of a whole file or of one trigger: what no line can repair, directives, then the
 * grammar. */
#include "parser/grammar.h"
#define YYSTYPE DF_YYSTYPE
#define YYLTYPE DF_YYLTYPE
#include "parser/lexer.h"

#include "parser/dockerfile.h"

#include <stdio.h>
#include <stdlib.h>

#include "parser/build.h"
#include "parser/directive.h"
#include "parser/source.h"
#include "parser/diag.h"
#include "parser/scan.h"

#define BOM "\xef\xbb\xbf"

static void run_grammar(struct build *b, size_t start)
{
	struct slice text = slice_from(b->df->source.text, start);
	struct scan sc = {.build = b, .pos = start};
	yyscan_t scanner;

	if (df_yylex_init_extra(&sc, &scanner) != 0)
		abort();
	df_yy_scan_bytes(text.ptr, (int)text.len, scanner);
	df_yyparse(scanner, b);
	df_yylex_destroy(scanner);
}

/* What no line can repair; false when there is no use in reading on. */
static bool dockerfile_parse_check_text(struct build *b, size_t given)
{
	struct slice text = b->df->source.text;
	size_t nul = slice_find(text, '\0', 0);

	if (given > DOCKERFILE_SIZE_MAX) {
		build_error(b, "limit", (struct span){0, 0}, "larger than %d bytes",
			DOCKERFILE_SIZE_MAX);
		return false;
	}
	if (nul < text.len) {
		struct diag *d = build_error(b, "not-text", (struct span){nul, 1},
			"NUL character: this is not a text file");

		if (slice_starts(text, "\xff\xfe") || slice_starts(text, "\xfe\xff"))
			build_hint(b, d, "it looks like UTF-16; save it as UTF-8");
		return false;
	}
	return true;
}

static struct dockerfile *dockerfile_parse_text(struct slice name, struct slice text, bool trigger)
{
	struct arena *arena = arena_new();
	struct dockerfile *df = arena_alloc(arena, sizeof *df);
	struct build b = {
		.df = df, .arena = arena, .diags = &df->diags, .escape = '\\', .trigger = trigger};
	size_t start;

	df->arena = arena;
	df->escape = '\\';
	diag_list_init(&df->diags, arena);
	source_init(&df->source, arena, name, slice_sub(text, 0, DOCKERFILE_SIZE_MAX));
	if (!dockerfile_parse_check_text(&b, text.len))
		return df;
	start = slice_starts(df->source.text, BOM) ? sizeof BOM - 1 : 0;
	if (!trigger)
		directive_parse(&b, start);
	run_grammar(&b, start);
	build_end(&b);
	if (df->diags.errors)
		df->trigger = NULL;
	diag_list_sort(&df->diags);
	return df;
}

struct dockerfile *dockerfile_parse(struct slice name, struct slice text)
{
	return dockerfile_parse_text(name, text, false);
}

struct dockerfile *dockerfile_parse_trigger(struct slice name, struct slice text)
{
	return dockerfile_parse_text(name, text, true);
}

void dockerfile_free(struct dockerfile *df)
{
	if (df)
		arena_free(df->arena);
}

void dockerfile_report(const struct dockerfile *df, slice_sink_fn sink, void *ctx)
{
	const struct diag_list *list = &df->diags;
	char text[100];

	for (size_t i = 0; i < list->count; i++)
		diag_render_text(&df->source, &list->items[i], sink, ctx);
	if (list->errors + list->warnings < 2)
		return;
	snprintf(text, sizeof text, "%zu error%s, %zu warning%s\n", list->errors,
		list->errors == 1 ? "" : "s", list->warnings, list->warnings == 1 ? "" : "s");
	sink(ctx, slice_of(text));
}
