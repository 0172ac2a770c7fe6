// SPDX-License-Identifier: Apache-2.0
/*
 * A logical line becomes an instruction of the tree: flags, then the arguments by keyword. FROM,
 * ONBUILD and those of plain words are done here; COPY, pairs and commands have files of their own.
 * A flag that is known but not supported is reported last, and only when the line has no other
 * mistake.
 */
#include "parser/instr.h"

#include <string.h>

#include "parser/ast.h"
#include "parser/expand.h"
#include "parser/line.h"
#include "parser/source.h"
#include "parser/suggest.h"
#include "parser/words.h"

void instr_push(struct build *b, struct word_list *list, struct word word)
{
	list->items =
		arena_grow(b->arena, list->items, list->count, &list->cap, sizeof *list->items);
	list->items[list->count++] = word;
}

/* Every name is set and empty, so that only mistakes of the text itself remain. */
static bool lookup_nothing(void *ctx, struct slice name, struct slice *value)
{
	(void)ctx;
	(void)name;
	*value = SLICE("");
	return true;
}

struct diag *instr_check_word(struct build *b, struct word word)
{
	struct expand_env env = {lookup_nothing, NULL, b->escape};
	struct expand_error error;
	struct slice out;
	struct diag *d;

	if (!word.text.ptr || expand_word(&env, word.text, b->arena, &out, &error) == 0)
		return NULL;
	switch (error.kind) {
	case EXPAND_QUOTE:
	case EXPAND_PATTERN:
		return build_late_error(b, "expansion", word.span, "%s", error.message);
	case EXPAND_BRACE:
	case EXPAND_MODIFIER:
		d = build_late_error(b, "expansion", word.span, "%s", error.message);
		build_hint(b, d,
			"after a name come }, or one of - + ? (also with : before it) # ## %% %%%% "
			"/ "
			"//; blanks need quotes around the word");
		return d;
	case EXPAND_REQUIRED:
	case EXPAND_LIMIT:
		return NULL; /* depends on values */
	}
	return NULL;
}

/* What keeps a text that was meant as JSON from being it; the likeliest first. */
static const char *json_flaw(struct slice text)
{
	bool words = false; /* a string ended and no comma came */
	char last = 0;

	if (slice_find_str(text, "\xe2\x80\x9c") < text.len ||
		slice_find_str(text, "\xe2\x80\x9d") < text.len)
		return "these are typographic quotes; JSON takes \"";
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c == '\'' && (last == '[' || last == ','))
			return "JSON takes double quotes, not single ones";
		if (c == ']' && last == ',')
			return "remove the comma before ]";
		if (c == '"' && words)
			return "put a comma between the words";
		if (c == '"') {
			for (i++; i < text.len && text.ptr[i] != '"'; i++) {
				if (text.ptr[i] != '\\')
					continue;
				i++;
				if (i < text.len && !strchr("\"\\/bfnrtu", text.ptr[i]))
					return "a backslash is written \\\\ in JSON";
			}
			if (i >= text.len)
				return "a double quote is not closed";
		}
		words = c == '"' || (words && slice_is_blank(c));
		if (!slice_is_blank(c))
			last = c;
	}
	return last == ']' ? "words in double quotes, commas between them, nothing after the ]"
			   : "it must end in ], with nothing behind it";
}

void instr_hint_json(struct build *b, struct diag *d, struct slice text)
{
	build_hint(b, d, "%s", json_flaw(slice_trim(text)));
}

void instr_warn_json(struct build *b, struct line *line, struct slice text)
{
	if (!slice_starts(text, "[") || slice_starts(text, "[ ") || slice_starts(text, "[["))
		return;
	if (text.ptr[text.len - 1] != ']' && !slice_starts(text, "[\""))
		return;
	instr_hint_json(b,
		build_warning(b, "exec-form", line_span(line, text),
			"looks like a JSON list but is not valid JSON"),
		text);
}

static bool stage_name_ok(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];
		bool letter = c >= 'a' && c <= 'z';
		bool other = (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';

		if (!letter && (i == 0 || !other))
			return false;
	}
	return name.len > 0;
}

static void reset_one(struct build *b, struct word w, struct ast_from *out)
{
	const char *names[4];
	const char *near;
	struct diag *d;
	unsigned bit = 0;

	for (unsigned i = 0; i < 4; i++) {
		names[i] = ast_reset_name(1u << i);
		if (slice_eq_str(w.text, names[i]))
			bit = 1u << i;
	}
	if (!bit) {
		d = build_error(b, "flag-value", w.span, "FROM --reset: unknown \"%.*s\"",
			BUILD_SHOWN(w.text));
		near = suggest_nearest(w.text, names, 4);
		if (near)
			build_hint(b, d, "did you mean %s?", near);
		else
			build_hint(b, d, "a list of env, labels, volumes and expose");
	} else if (out->reset & bit) {
		build_error(b, "duplicate-flag", w.span, "FROM --reset=%s is given twice",
			ast_reset_name(bit));
	} else {
		out->reset |= bit;
		instr_push(b, &out->reset_words, w);
	}
}

static void parse_reset(struct build *b, struct word value, struct ast_from *out)
{
	bool exact = value.span.len == value.text.len;

	for (size_t at = 0, end; at <= value.text.len; at = end + 1) {
		struct word one = value;

		end = slice_find(value.text, ',', at);
		one.text = slice_sub(value.text, at, end - at);
		if (exact && one.text.len)
			one.span = (struct span){value.span.off + at, one.text.len};
		reset_one(b, one, out);
	}
}

static void from_shape(
	struct build *b, struct line *line, struct slice rest, const struct words_list *words)
{
	struct diag *d = build_error(b, "from", line_span(line, rest),
		"FROM needs an image, or an image, AS and a name");

	for (size_t i = 1; i < words->count; i++) {
		if (slice_starts(words->items[i].text, "#")) {
			build_hint(b, d, "a comment needs a line of its own");
			return;
		}
	}
	if (words->count == 2 && slice_eq_nocase(words->items[1].text, "AS"))
		build_hint(b, d, "the name is missing after AS");
	else if (words->count == 2)
		build_hint(b, d, "to name the stage write FROM %.*s AS %.*s",
			BUILD_SHOWN(words->items[0].text), BUILD_SHOWN(words->items[1].text));
	else
		build_hint(b, d, "write FROM IMAGE [AS NAME]");
}

static bool parse_from(
	struct build *b, struct line *line, const struct flags *flags, struct ast_from *out)
{
	struct words_list words;
	struct slice name;
	char *folded;

	words_blank(flags->rest, b->arena, &words);
	if ((words.count != 1 && words.count != 3) ||
		(words.count == 3 && !slice_eq_nocase(words.items[1].text, "AS"))) {
		from_shape(b, line, flags->rest, &words);
		return false;
	}
	out->image = line_word(line, words.items[0].text);
	out->platform = flags_get(flags, FLAGS_PLATFORM);
	instr_check_word(b, out->image);
	instr_check_word(b, out->platform);
	for (size_t i = 0; i < flags->count; i++)
		if (flags->items[i].id == FLAGS_RESET)
			parse_reset(b, flags->items[i].value, out);
	if (words.count == 1)
		return true;
	out->as = line_word(line, words.items[2].text);
	name = arena_copy(b->arena, out->as.text);
	folded = memcpy(arena_alloc(b->arena, name.len + 1), name.ptr, name.len);
	for (size_t i = 0; i < name.len; i++)
		if (folded[i] >= 'A' && folded[i] <= 'Z')
			folded[i] = (char)(folded[i] - 'A' + 'a');
	out->name = (struct slice){folded, name.len};
	if (!stage_name_ok(out->name)) {
		build_hint(b,
			build_error(b, "stage-name", out->as.span, "invalid stage name \"%.*s\"",
				BUILD_SHOWN(out->as.text)),
			"a letter, then letters, digits, '-', '_' and '.'");
		return false;
	}
	return true;
}

/* USER, STOPSIGNAL: the rest of the line is one word. */
static bool parse_word(
	struct build *b, struct line *line, const struct flags *flags, struct word *out)
{
	*out = line_word(line, flags->rest);
	instr_check_word(b, *out);
	return true;
}

/* EXPOSE, VOLUME */
static bool instr_parse_words(struct build *b, enum ast_keyword keyword, struct line *line,
	const struct flags *flags, struct ast_instruction *out)
{
	struct words_list words;
	enum words_json_result json = WORDS_JSON_NO;

	if (keyword == AST_VOLUME)
		json = words_json(flags->rest, b->arena, &words);
	if (json == WORDS_JSON_NOTSTRING) {
		struct words_item *bad = &words.items[words.count - 1];

		build_error(b, "exec-form",
			line_span(line, slice_sub(flags->rest, bad->off, bad->len)),
			"the JSON list of VOLUME takes strings only");
		return false;
	}
	if (json == WORDS_JSON_NO) {
		words_blank(flags->rest, b->arena, &words);
		if (keyword == AST_VOLUME)
			instr_warn_json(b, line, flags->rest);
	}
	for (size_t i = 0; i < words.count; i++) {
		struct words_item *w = &words.items[i];
		struct word word = {slice_trim(w->text),
			line_span(line, slice_sub(flags->rest, w->off, w->len))};

		if (word.text.len == 0)
			build_error(b, "empty-word", word.span, "%s does not take an empty path",
				ast_keyword_name(keyword));
		instr_check_word(b, word);
		instr_push(b, &out->words, word);
	}
	out->words_json = json == WORDS_JSON_YES;
	if (words.count == 0)
		build_error(b, "missing-argument", line_span(line, line->name),
			"%s needs an argument", ast_keyword_name(keyword));
	return words.count > 0;
}

/* The text stored in the image: the instruction and its heredocs. */
static struct slice trigger_text(struct build *b, const struct line *line, struct slice rest)
{
	size_t len = rest.len;
	char *text, *at;

	if (line->heredocs.count == 0)
		return rest;
	for (size_t i = 0; i < line->heredocs.count; i++)
		len += 1 + line->heredocs.items[i].raw.len + line->heredocs.items[i].name.len;
	at = text = arena_alloc(b->arena, len + 1);
	at = mempcpy(at, rest.ptr, rest.len);
	for (size_t i = 0; i < line->heredocs.count; i++) {
		const struct ast_heredoc *h = &line->heredocs.items[i];

		*at++ = '\n';
		at = mempcpy(at, h->raw.ptr, h->raw.len);
		at = mempcpy(at, h->name.ptr, h->name.len);
	}
	return (struct slice){text, len};
}

static bool parse_onbuild(
	struct build *b, struct line *line, const struct flags *flags, struct ast_onbuild *out)
{
	struct line inner = *line;
	enum ast_keyword keyword;
	char escape = b->escape;

	inner.text = flags->rest;
	line_split(&inner);
	if (!ast_keyword_find(inner.name, &keyword)) {
		build_unknown(b, &inner);
		return false;
	}
	if (inner.rest.len == 0) {
		build_error(b, "missing-argument", line_span(line, inner.name),
			"%s needs an argument", ast_keyword_name(keyword));
		return false;
	}
	out->trigger = trigger_text(b, line, flags->rest);
	/* When the trigger runs, it is parsed with the default escape character. */
	b->in_onbuild = true;
	b->escape = '\\';
	out->child = instr_parse(b, keyword, &inner);
	b->in_onbuild = false;
	b->escape = escape;
	return out->child != NULL;
}

/* Instructions that cannot be a trigger. */
static bool forbidden(struct build *b, enum ast_keyword keyword, const struct line *line)
{
	if (!b->in_onbuild && !b->trigger)
		return false;
	if (keyword != AST_ONBUILD && keyword != AST_FROM && keyword != AST_MAINTAINER)
		return false;
	build_error(b, "onbuild", line_span(line, line->name), "%s cannot be an ONBUILD trigger",
		ast_keyword_name(keyword));
	return true;
}

static bool parse_by_keyword(
	struct build *b, struct line *line, const struct flags *flags, struct ast_instruction *ins)
{
	switch (ins->keyword) {
	case AST_ADD:
	case AST_COPY:
		return instr_copy(b, ins->keyword, line, flags, &ins->copy);
	case AST_ARG:
	case AST_ENV:
	case AST_LABEL:
		return instr_pairs(b, ins->keyword, line, flags->rest, &ins->pairs);
	case AST_CMD:
	case AST_ENTRYPOINT:
		return instr_command(b, line, flags->rest, &ins->command);
	case AST_EXPOSE:
	case AST_VOLUME:
		return instr_parse_words(b, ins->keyword, line, flags, ins);
	case AST_FROM:
		return parse_from(b, line, flags, &ins->from);
	case AST_HEALTHCHECK:
		return instr_command_healthcheck(b, line, flags, &ins->healthcheck);
	case AST_MAINTAINER:
		ins->word = line_word(line, flags->rest);
		return true;
	case AST_ONBUILD:
		return parse_onbuild(b, line, flags, &ins->onbuild);
	case AST_RUN:
		return instr_command_run(b, line, flags, &ins->run);
	case AST_SHELL:
		ins->words_json = true;
		return instr_command_shell(b, line, flags->rest, &ins->words);
	case AST_STOPSIGNAL:
	case AST_USER:
		return parse_word(b, line, flags, &ins->word);
	case AST_WORKDIR:
		ins->workdir.chown = flags_get(flags, FLAGS_CHOWN_WORKDIR);
		if (ins->workdir.chown.text.len == 0)
			ins->workdir.chown.text.ptr = NULL;
		instr_check_word(b, ins->workdir.chown);
		return parse_word(b, line, flags, &ins->workdir.path);
	}
	return false;
}

/* The shell is given an empty command, as docker does it. */
static bool may_be_empty(enum ast_keyword keyword)
{
	return keyword == AST_RUN || keyword == AST_CMD || keyword == AST_ENTRYPOINT;
}

struct ast_instruction *instr_parse(struct build *b, enum ast_keyword keyword, struct line *line)
{
	struct ast_instruction *ins = arena_alloc(b->arena, sizeof *ins);
	size_t errors = b->diags->errors;
	struct flags flags;

	if (forbidden(b, keyword, line))
		return NULL;
	ins->keyword = keyword;
	ins->text = line->text;
	ins->rest = line->rest;
	ins->comments = line->comments;
	ins->checks = line->checks;
	ins->keyword_span = line_span(line, line->name);
	ins->span = (struct span){ins->keyword_span.off, line->end - ins->keyword_span.off};
	ins->first_line = source_line_of(&b->df->source, ins->span.off);
	ins->last_line = source_line_of(
		&b->df->source, line->end > ins->span.off ? line->end - 1 : line->end);
	flags_parse(b, keyword, line, &flags);
	if (flags.broken)
		return NULL;
	if (flags.rest.len == 0 && !may_be_empty(keyword)) {
		build_error(b, "missing-argument", ins->keyword_span, "%s needs an argument",
			ast_keyword_name(keyword));
		return NULL;
	}
	if (!parse_by_keyword(b, line, &flags, ins))
		return NULL;
	if (b->diags->errors == errors)
		flags_support(b, keyword, &flags);
	return ins;
}
