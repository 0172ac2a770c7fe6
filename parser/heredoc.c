// SPDX-License-Identifier: Apache-2.0
/*
 * Finds <<NAME in RUN, COPY and ADD lines before their bodies are read, and keeps each body as
 * written and with its tabs removed. A whole word must be a heredoc: cat<<EOF is none, and is
 * remembered as "glued" for a better message, should the lines behind it make no sense. A shift in
 * $((1 << 2)) is left alone by counting parentheses.
 */
#include "parser/heredoc.h"

#include <string.h>

#include "parser/ast.h"
#include "parser/flags.h"
#include "parser/line.h"
#include "parser/source.h"
#include "parser/words.h"

/* End of a shell word: blanks outside quotes end it, a backslash protects the next byte. An open
 * quote sets *open. */
static size_t word_end(struct slice s, size_t at, bool *open)
{
	char quote = 0;

	for (; at < s.len; at++) {
		char c = s.ptr[at];

		if (!quote && slice_is_blank(c))
			break;
		if (c == '\\' && quote != '\'')
			at++;
		else if (quote)
			quote = c == quote ? 0 : quote;
		else if (c == '"' || c == '\'')
			quote = c;
	}
	*open = quote != 0;
	return at < s.len ? at : s.len;
}

static size_t heredoc_skip_blanks(struct slice s, size_t at)
{
	while (at < s.len && slice_is_blank(s.ptr[at]))
		at++;
	return at;
}

/* The one at the start of a text, for COPY words: length in bytes of the word, 0 when there is
 * none. */
static size_t heredoc_word(struct slice text, struct slice *delimiter, bool *chomp)
{
	size_t at = 0, start, end;
	bool open;

	while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
		at++;
	if (!slice_starts(slice_from(text, at), "<<"))
		return 0;
	at += 2;
	*chomp = at < text.len && text.ptr[at] == '-';
	if (*chomp)
		at++;
	start = heredoc_skip_blanks(text, at);
	end = word_end(text, start, &open);
	*delimiter = slice_sub(text, start, end - start);
	if (open || delimiter->len == 0 || slice_has(*delimiter, '<'))
		return 0;
	/* "1 << 2" is arithmetic in every language a RUN may hold. */
	if (start > at && delimiter->ptr[0] >= '0' && delimiter->ptr[0] <= '9')
		return 0;
	return end;
}

/* The delimiter without quotes and backslashes; *quoted tells whether there were any. */
static struct slice unquote(struct arena *a, struct slice s, bool *quoted)
{
	char *out = arena_alloc(a, s.len + 1);
	size_t n = 0;
	char quote = 0;

	*quoted = false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool escapes = c == '\\' && quote != '\'';

		if (escapes && quote == '"' && i + 1 < s.len && s.ptr[i + 1] != '"' &&
			s.ptr[i + 1] != '\\' && s.ptr[i + 1] != '$')
			escapes = false;
		if (escapes) {
			*quoted = true;
			if (++i < s.len)
				out[n++] = s.ptr[i];
		} else if (quote ? c == quote : c == '"' || c == '\'') {
			*quoted = true;
			quote = quote ? 0 : c;
		} else {
			out[n++] = c;
		}
	}
	return (struct slice){out, n};
}

static bool can_have(const struct build *b, struct slice name, struct slice rest)
{
	struct slice args;

	if (!slice_eq_nocase(name, "RUN") && !slice_eq_nocase(name, "COPY") &&
		!slice_eq_nocase(name, "ADD"))
		return false;
	if (slice_find_str(rest, "<<") == rest.len)
		return false;
	args = flags_skip(rest, b->escape);
	return !slice_starts(args, "[") || words_json(args, b->arena, NULL) == WORDS_JSON_NO;
}

/* Depth of open (( before a word, so that $((1 << 2)) is left alone. */
static void count_parens(struct slice word, size_t *open)
{
	for (size_t i = 0; i + 1 < word.len; i++) {
		if (word.ptr[i] == '(' && word.ptr[i + 1] == '(') {
			++*open;
			i++;
		} else if (word.ptr[i] == ')' && word.ptr[i + 1] == ')') {
			*open -= *open > 0;
			i++;
		}
	}
}

static void heredoc_push(
	struct build *b, struct line *line, struct slice word, struct slice delimiter, bool chomp)
{
	struct ast_heredocs *list = &line->heredocs;
	struct ast_heredoc *h;
	bool quoted;
	struct slice name = unquote(b->arena, delimiter, &quoted);

	if (name.len == 0)
		return;
	if (list->count == HEREDOC_COUNT_MAX) {
		build_error(b, "limit", line_span(line, word), "more than %d heredocs",
			HEREDOC_COUNT_MAX);
		return;
	}
	list->items = arena_grow(b->arena, list->items, list->count, &list->cap, sizeof *h);
	h = &list->items[list->count++];
	*h = (struct ast_heredoc){.word = line_word(line, word),
		.name = name,
		.raw = SLICE(""),
		.body = SLICE(""),
		.expand = !quoted,
		.chomp = chomp};
}

/* cat<<EOF: no heredoc here, though the shell would take it for one. */
static bool is_glued(struct slice word)
{
	size_t at = slice_find_str(word, "<<");
	char next = at + 2 < word.len ? word.ptr[at + 2] : ' ';

	return at > 0 && at < word.len && !slice_has(word, '(') && !slice_has(word, '"') &&
	       (next == '-' || next == '_' || next == '\'' || (next >= 'A' && next <= 'Z'));
}

/* A word that is no heredoc. */
static void heredoc_plain(
	struct build *b, const struct line *line, struct slice word, bool open, size_t *open_parens)
{
	b->glued_quote = open && slice_find_str(word, "<<") < word.len;
	if (*open_parens == 0 && (b->glued_quote || is_glued(word)))
		b->glued = source_line_of(&b->df->source, line_span(line, word).off);
	count_parens(word, open_parens);
}

void heredoc_find(struct build *b, struct line *line)
{
	struct line inner = *line;
	struct slice text, delimiter;
	size_t at, end, open_parens = 0;
	bool chomp, open = false;

	enum ast_keyword keyword;

	if (ast_keyword_find(line->name, &keyword))
		b->glued = 0;
	if (slice_eq_nocase(line->name, "ONBUILD")) {
		inner.text = line->rest;
		line_split(&inner);
	}
	if (!can_have(b, inner.name, inner.rest))
		return;
	text = inner.rest;
	for (at = 0; (at = heredoc_skip_blanks(text, at)) < text.len; at = end) {
		struct slice here = slice_from(text, at);
		size_t len = open_parens ? 0 : heredoc_word(here, &delimiter, &chomp);

		end = len ? at + len : word_end(text, at, &open);
		if (len)
			heredoc_push(b, line, slice_sub(here, 0, len), delimiter, chomp);
		else
			heredoc_plain(b, line, slice_sub(text, at, end - at), open, &open_parens);
	}
}

static struct slice chomp_tabs(struct arena *a, struct slice raw)
{
	char *out = arena_alloc(a, raw.len + 1);
	size_t n = 0;

	for (size_t at = 0; at < raw.len;) {
		size_t end = slice_find(raw, '\n', at);

		while (at < end && raw.ptr[at] == '\t')
			at++;
		end += end < raw.len;
		memcpy(out + n, raw.ptr + at, end - at);
		n += end - at;
		at = end;
	}
	return (struct slice){out, n};
}

void heredoc_set_body(struct build *b, struct ast_heredoc *h, struct span body)
{
	h->body_span = body;
	h->raw = slice_sub(b->df->source.text, body.off, body.len);
	h->body = h->chomp ? chomp_tabs(b->arena, h->raw) : h->raw;
}
