// SPDX-License-Identifier: Apache-2.0
/* COPY and ADD. */
#include "parser/instr.h"

#include <string.h>

#include "parser/ast.h"
#include "parser/build.h"
#include "parser/filemode.h"
#include "parser/flags.h"
#include "parser/heredoc.h"
#include "parser/ignore.h"
#include "parser/line.h"
#include "parser/words.h"

struct arg {
	struct word word;
	const struct ast_heredoc *heredoc; /* NULL for an ordinary word */
};

struct args {
	struct arg *items;
	size_t count;
	size_t cap;
};

static void add_arg(
	struct build *b, struct args *args, struct word word, const struct ast_heredoc *h)
{
	args->items =
		arena_grow(b->arena, args->items, args->count, &args->cap, sizeof *args->items);
	args->items[args->count++] = (struct arg){word, h};
}

static void cut_words(struct build *b, enum ast_keyword keyword, struct line *line,
	struct slice text, struct args *args)
{
	const struct ast_heredocs *docs = &line->heredocs;
	size_t at = 0, next = 0;

	for (;;) {
		size_t from;

		while (at < text.len && slice_is_blank(text.ptr[at]))
			at++;
		if (at == text.len)
			return;
		if (next < docs->count && docs->items[next].word.text.ptr == text.ptr + at) {
			const struct ast_heredoc *h = &docs->items[next++];

			add_arg(b, args, h->word, h);
			at += h->word.text.len;
			continue;
		}
		from = at;
		while (at < text.len && !slice_is_blank(text.ptr[at]))
			at++;
		flags_warn_late(b, keyword, line, slice_sub(text, from, at - from));
		add_arg(b, args, line_word(line, slice_sub(text, from, at - from)), NULL);
	}
}

/* Sources and destination; JSON form or words. */
static bool cut(struct build *b, enum ast_keyword keyword, struct line *line, struct slice text,
	struct args *args, bool *json)
{
	struct words_list words;
	enum words_json_result form = words_json(text, b->arena, &words);

	*json = form == WORDS_JSON_YES;
	if (form == WORDS_JSON_NOTSTRING) {
		struct words_item *bad = &words.items[words.count - 1];

		build_hint(b,
			build_error(b, "exec-form",
				line_span(line, slice_sub(text, bad->off, bad->len)),
				"the JSON form of %s takes strings only",
				ast_keyword_name(keyword)),
			"put it in double quotes");
		return false;
	}
	if (form == WORDS_JSON_NO) {
		instr_warn_json(b, line, text);
		cut_words(b, keyword, line, text, args);
	} else {
		for (size_t i = 0; i < words.count; i++) {
			struct words_item *w = &words.items[i];
			struct span span = line_span(line, slice_sub(text, w->off, w->len));

			add_arg(b, args, (struct word){w->text, span}, NULL);
		}
	}
	return true;
}

static void add_inline(struct build *b, struct ast_heredocs *list, const struct ast_heredoc *h)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!slice_eq(list->items[i].name, h->name))
			continue;
		list->count--;
		memmove(&list->items[i], &list->items[i + 1],
			(list->count - i) * sizeof list->items[i]);
		break;
	}
	list->items = arena_grow(b->arena, list->items, list->count, &list->cap, sizeof *h);
	list->items[list->count++] = *h;
}

/* << and 3<<-: a heredoc without its word. Names that go on are names. */
static bool half_heredoc(struct slice text)
{
	size_t at = 0;

	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
		at++;
	text = slice_from(text, at);
	return slice_eq_str(text, "<<") || slice_eq_str(text, "<<-");
}

static void check_path(struct build *b, enum ast_keyword keyword, struct word path)
{
	struct diag *d = instr_check_word(b, path);

	if (slice_has(path.text, '"') || slice_has(path.text, '\''))
		build_hint(b, d, "a path with blanks needs the JSON form: %s [\"a b\", \"c\"]",
			ast_keyword_name(keyword));
	else if (half_heredoc(path.text))
		build_hint(b,
			build_error(b, "heredoc", path.span, "\"%.*s\" has no delimiter",
				BUILD_SHOWN(path.text)),
			"write <<EOF, and a line EOF after the text");
}

static void instr_copy_check_source(struct build *b, enum ast_keyword keyword, struct word source)
{
	struct diag *d;

	if (source.text.len == 0) {
		build_late_error(b, "empty-word", source.span, "%s: a source cannot be empty",
			ast_keyword_name(keyword));
	} else if (keyword == AST_COPY &&
		   (ast_is_http_url(source.text) || ast_is_git_url(source.text))) {
		d = build_late_error(b, "copy-url", source.span, "COPY cannot fetch \"%.*s\"",
			BUILD_SHOWN(source.text));
		if (!ast_is_git_url(source.text))
			build_hint(b, d, "ADD can");
	}
	check_path(b, keyword, source);
}

static void instr_copy_check_from(struct build *b, struct word *from)
{
	if (from->text.ptr && slice_has(from->text, '$'))
		instr_check_word(b, *from);
}

static void check_chmod(struct build *b, enum ast_keyword keyword, struct word chmod)
{
	struct filemode mode;
	const char *why;

	if (!chmod.text.ptr || slice_has(chmod.text, '$'))
		return;
	if (!filemode_parse(chmod.text, &mode, &why))
		build_hint(b,
			build_late_error(b, "chmod", chmod.span,
				"%s --chmod: \"%.*s\" is no mode: %s", ast_keyword_name(keyword),
				BUILD_SHOWN(chmod.text), why),
			"octal such as 755, or symbolic such as u=rwX,go=rX");
}

/* Patterns are never expanded, so each can be looked at now. */
static void check_exclude(struct build *b, enum ast_keyword keyword, struct word pattern)
{
	struct ignore *rules = ignore_parse(SLICE("--exclude"), pattern.text);
	const struct diag_list *diags = ignore_diags(rules);

	if (diags->errors && diags->count)
		build_hint(b,
			build_late_error(b, "exclude", pattern.span, "%s --exclude: %.*s",
				ast_keyword_name(keyword), SLICE_ARG(diags->items[0].message)),
			"%.*s", SLICE_ARG(diags->items[0].hint));
	ignore_free(rules);
}

/* --from= is as good as no --from, like in other builders. */
static struct word not_empty(struct word w)
{
	if (w.text.len == 0)
		w.text.ptr = NULL;
	return w;
}

static void instr_copy_check_owner(
	struct build *b, const struct flags *flags, const struct ast_copy *copy)
{
	if (!copy->chown.text.ptr || !slice_eq_str(copy->keep_ownership.text, "true"))
		return;
	for (size_t i = 0; i < flags->count; i++)
		if (flags->items[i].id == FLAGS_KEEP_OWNERSHIP)
			build_hint(b,
				build_error(b, "flag-conflict", flags->items[i].word.span,
					"COPY takes --chown or --keep-ownership, not both"),
				"leave out one of them");
}

static void take_flags(
	struct build *b, enum ast_keyword keyword, const struct flags *flags, struct ast_copy *out)
{
	out->from = not_empty(flags_get(flags, FLAGS_FROM));
	out->chown = not_empty(flags_get(flags, FLAGS_CHOWN));
	out->chmod = not_empty(flags_get(flags, FLAGS_CHMOD));
	out->checksum = not_empty(flags_get(flags, FLAGS_CHECKSUM));
	out->link = flags_get(flags, FLAGS_LINK);
	out->parents = flags_get(flags, FLAGS_PARENTS);
	out->unpack = flags_get(flags, FLAGS_UNPACK);
	out->keep_git_dir = flags_get(flags, FLAGS_KEEP_GIT_DIR);
	out->no_follow = flags_get(flags, FLAGS_NO_FOLLOW);
	out->keep_ownership = flags_get(flags, FLAGS_KEEP_OWNERSHIP);
	for (size_t i = 0; i < flags->count; i++)
		if (flags->items[i].id == FLAGS_EXCLUDE) {
			instr_push(b, &out->excludes, flags->items[i].value);
			check_exclude(b, keyword, flags->items[i].value);
		}
	instr_copy_check_owner(b, flags, out);
	instr_copy_check_from(b, &out->from);
	check_chmod(b, keyword, out->chmod);
	instr_check_word(b, out->chown);
	instr_check_word(b, out->chmod);
	instr_check_word(b, out->checksum);
}

bool instr_copy(struct build *b, enum ast_keyword keyword, struct line *line,
	const struct flags *flags, struct ast_copy *out)
{
	struct args args = {0};
	struct arg *last;

	take_flags(b, keyword, flags, out);
	if (!cut(b, keyword, line, flags->rest, &args, &out->json))
		return false;
	if (args.count < 2) {
		build_hint(b,
			build_error(b, "missing-argument", line_span(line, flags->rest),
				"%s needs at least one source and a destination",
				ast_keyword_name(keyword)),
			"write %s SOURCE... DESTINATION", ast_keyword_name(keyword));
		return false;
	}
	last = &args.items[args.count - 1];
	if (last->heredoc) {
		build_error(b, "heredoc", last->word.span,
			"a heredoc cannot be the destination of %s", ast_keyword_name(keyword));
		return false;
	}
	out->dest = last->word;
	check_path(b, keyword, out->dest);
	for (size_t i = 0; i + 1 < args.count; i++) {
		if (args.items[i].heredoc) {
			add_inline(b, &out->inlines, args.items[i].heredoc);
			continue;
		}
		instr_copy_check_source(b, keyword, args.items[i].word);
		instr_push(b, &out->sources, args.items[i].word);
	}
	return true;
}
