// SPDX-License-Identifier: Apache-2.0
/* ENV, LABEL and ARG: key=value words, or the old form "key rest of line". */
#include "parser/instr.h"

#include "parser/ast.h"
#include "parser/build.h"
#include "parser/line.h"
#include "parser/words.h"

static struct ast_pair *instr_pairs_add(struct build *b, struct ast_pairs *out)
{
	out->items = arena_grow(b->arena, out->items, out->count, &out->cap, sizeof *out->items);
	out->items[out->count] = (struct ast_pair){0};
	return &out->items[out->count++];
}

static bool legacy(struct build *b, enum ast_keyword keyword, struct line *line, struct slice args,
	struct ast_pairs *out)
{
	struct ast_pair *pair;
	size_t n = 0;

	while (n < args.len && !slice_is_blank(args.ptr[n]))
		n++;
	if (slice_trim(slice_from(args, n)).len == 0) {
		build_hint(b,
			build_error(b, "missing-value", line_span(line, args),
				"%s %.*s has no value", ast_keyword_name(keyword),
				BUILD_SHOWN(args)),
			"write %s %.*s=VALUE", ast_keyword_name(keyword), BUILD_SHOWN(args));
		return false;
	}
	if (slice_starts(slice_trim(slice_from(args, n)), "= "))
		build_hint(b,
			build_warning(b, "legacy-equals", line_span(line, args),
				"the value begins with \"=\": this is the form %s KEY VALUE",
				ast_keyword_name(keyword)),
			"no blanks around =: %s %.*s=VALUE", ast_keyword_name(keyword),
			BUILD_SHOWN(slice_sub(args, 0, n)));
	out->legacy = true;
	pair = instr_pairs_add(b, out);
	pair->key = line_word(line, slice_sub(args, 0, n));
	pair->value = line_word(line, slice_trim(slice_from(args, n)));
	return true;
}

/* Quotes that a word processor made. */
static bool typographic(struct slice text)
{
	return slice_find_str(text, "\xe2\x80\x9c") < text.len ||
	       slice_find_str(text, "\xe2\x80\x98") < text.len;
}

static bool instr_pairs_word(struct build *b, enum ast_keyword keyword, struct line *line,
	struct slice text, struct ast_pairs *out)
{
	size_t equals = slice_find(text, '=', 0);
	struct ast_pair *pair;

	if (equals == text.len && keyword != AST_ARG) {
		struct diag *d = build_error(b, "missing-value", line_span(line, text),
			"%s needs KEY=VALUE, got \"%.*s\"", ast_keyword_name(keyword),
			BUILD_SHOWN(text));

		if (slice_starts(text, "#"))
			build_hint(b, d, "a comment needs a line of its own");
		else if (typographic(line->rest))
			build_hint(b, d, "these are typographic quotes; only \" and ' are quotes");
		else
			build_hint(b, d, "a value with blanks needs quotes: KEY=\"a b\"");
		return false;
	}
	if (equals == 0) {
		build_hint(b,
			build_error(b, "missing-key", line_span(line, text),
				"%s has no name before \"=\"", ast_keyword_name(keyword)),
			"no blanks around =: NAME=VALUE");
		return false;
	}
	pair = instr_pairs_add(b, out);
	pair->key = line_word(line, slice_sub(text, 0, equals));
	if (equals < text.len)
		pair->value = line_word(line, slice_from(text, equals + 1));
	return true;
}

bool instr_pairs(struct build *b, enum ast_keyword keyword, struct line *line, struct slice args,
	struct ast_pairs *out)
{
	struct words_list words;
	bool ok = true;

	words_quoted(args, b->escape, b->arena, &words);
	if (keyword != AST_ARG && words.count && !slice_has(words.items[0].text, '=')) {
		ok = legacy(b, keyword, line, args, out);
	} else {
		for (size_t i = 0; i < words.count; i++) {
			bool good = instr_pairs_word(b, keyword, line, words.items[i].text, out);

			ok &= good;
			if (!good && slice_starts(words.items[i].text, "#"))
				break; /* a comment, not more mistakes */
		}
	}
	for (size_t i = 0; i < out->count; i++) {
		instr_check_word(b, out->items[i].key);
		instr_check_word(b, out->items[i].value);
	}
	return ok;
}
