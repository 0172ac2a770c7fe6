// SPDX-License-Identifier: Apache-2.0
/*
 * Joining of physical lines and reading of heredoc bodies.
 *
 * A line that is one physical line stays a view of the file; a continued one is copied once, when
 * it is complete. Nothing is put in the place of the escape character and the line end.
 */
#include "parser/grammar.h"

#include "parser/scan.h"

#include <ctype.h>
#include <string.h>

#include "parser/ast.h"
#include "parser/directive.h"
#include "parser/heredoc.h"

static struct slice source_cut(const struct scan *sc, size_t off, size_t len)
{
	return slice_sub(sc->build->df->source.text, off, len);
}

static struct slice without_line_end(struct slice s)
{
	while (s.len > 0 && (s.ptr[s.len - 1] == '\n' || s.ptr[s.len - 1] == '\r'))
		s.len--;
	return s;
}

/* Cut the continuation mark: one escape character, not two, with only spaces and tabs after it. */
static bool cut_continuation(struct slice *s, char escape)
{
	size_t n = s->len;

	while (n > 0 && (s->ptr[n - 1] == ' ' || s->ptr[n - 1] == '\t'))
		n--;
	if (n == 0 || s->ptr[n - 1] != escape || (n > 1 && s->ptr[n - 2] == escape))
		return false;
	s->len = n - 1;
	return true;
}

static void add_piece(struct scan *sc, size_t off, size_t len)
{
	struct line *line = sc->line;

	line->pieces = arena_grow(
		sc->build->arena, line->pieces, line->npieces, &line->cap, sizeof *line->pieces);
	line->pieces[line->npieces++] = (struct line_piece){sc->joined, off};
	sc->joined += len;
}

static struct slice join(struct scan *sc)
{
	struct line *line = sc->line;
	char *text;

	if (line->npieces == 1)
		return source_cut(sc, line->pieces[0].off, sc->joined);
	text = arena_alloc(sc->build->arena, sc->joined + 1);
	for (size_t i = 0; i < line->npieces; i++) {
		size_t end = i + 1 < line->npieces ? line->pieces[i + 1].at : sc->joined;
		struct slice piece = source_cut(sc, line->pieces[i].off, end - line->pieces[i].at);

		if (piece.len)
			memcpy(text + line->pieces[i].at, piece.ptr, piece.len);
	}
	return (struct slice){text, sc->joined};
}

enum scan_next scan_line_end(struct scan *sc)
{
	struct line *line = sc->line;
	struct slice all = join(sc);

	line->base = all.ptr;
	line->text = slice_trim(all);
	if (line->text.len == 0) { /* only continuation marks */
		sc->line = NULL;
		return SCAN_NEXT_LINE;
	}
	line_split(line);
	heredoc_find(sc->build, line);
	sc->state = SCAN_KEYWORD;
	sc->bodies = 0;
	sc->near_miss = 0;
	sc->body_start = sc->pos;
	return line->heredocs.count ? SCAN_NEXT_BODY : SCAN_NEXT_LINE;
}

enum scan_next scan_physical(struct scan *sc, size_t off, size_t len)
{
	struct slice s = without_line_end(source_cut(sc, off, len));
	bool more;

	if (!sc->line) {
		size_t before = s.len;

		sc->line = arena_alloc(sc->build->arena, sizeof *sc->line);
		sc->line->comments = sc->comments;
		sc->line->checks = sc->checks;
		scan_blank(sc);
		sc->joined = 0;
		s = slice_trim_left(s);
		off += before - s.len;
	}
	sc->line->end = off + slice_trim_right(s).len;
	more = cut_continuation(&s, sc->build->escape);
	add_piece(sc, off, s.len);
	return more ? SCAN_NEXT_CONTINUED : scan_line_end(sc);
}

static void scan_push(struct scan *sc, struct word_list *list, struct slice text)
{
	size_t off = (size_t)(text.ptr - sc->build->df->source.text.ptr);

	list->items = arena_grow(
		sc->build->arena, list->items, list->count, &list->cap, sizeof *list->items);
	list->items[list->count++] = (struct word){text, {off, text.len}};
}

void scan_comment(struct scan *sc, size_t off, size_t len)
{
	struct slice s = slice_trim(source_cut(sc, off, len));
	struct slice name, value;

	if (off < sc->build->directives_end)
		return;
	scan_push(sc, &sc->comments, slice_trim_left(slice_from(s, 1)));
	if (directive_split(s, &name, &value) && slice_eq_nocase(name, "check"))
		scan_push(sc, &sc->checks, value);
}

void scan_blank(struct scan *sc)
{
	sc->comments = sc->checks = (struct word_list){0};
}

bool scan_body_pending(const struct scan *sc)
{
	return sc->bodies < sc->line->heredocs.count;
}

/* The delimiter in another case, or with a mark or two behind it. */
static bool nearly(struct slice line, struct slice name)
{
	char copy[64];

	if (name.len >= sizeof copy || line.len < name.len || line.len > name.len + 2)
		return false;
	memcpy(copy, name.ptr, name.len);
	copy[name.len] = '\0';
	for (size_t i = name.len; i < line.len; i++)
		if (!ispunct((unsigned char)line.ptr[i]))
			return false;
	return slice_eq_nocase(slice_sub(line, 0, name.len), copy);
}

bool scan_body(struct scan *sc, size_t off, size_t len)
{
	struct ast_heredoc *h = &sc->line->heredocs.items[sc->bodies];
	struct slice s = without_line_end(source_cut(sc, off, len));

	if (h->chomp)
		while (s.len > 0 && s.ptr[0] == '\t')
			s = slice_from(s, 1);
	if (!slice_eq(s, h->name)) {
		if (!sc->near_miss && nearly(slice_trim(s), h->name))
			sc->near_miss = source_line_of(&sc->build->df->source, off);
		return false;
	}
	heredoc_set_body(sc->build, h, (struct span){sc->body_start, off - sc->body_start});
	sc->line->end = (size_t)(s.ptr - sc->build->df->source.text.ptr) + s.len;
	sc->body_start = off + len;
	sc->near_miss = 0;
	sc->bodies++;
	if (!scan_body_pending(sc))
		sc->state = SCAN_EOL;
	return true;
}

static void hint_near_miss(struct scan *sc, struct diag *d, const struct ast_heredoc *h)
{
	struct slice s = source_line(&sc->build->df->source, sc->near_miss);

	if (!slice_eq(slice_trim(s), h->name))
		build_hint(sc->build, d, "line %zu is nearly it: \"%.*s\" must stand there alone",
			sc->near_miss, BUILD_SHOWN(h->name));
	else if (s.ptr[0] == '\t' && !h->chomp)
		build_hint(sc->build, d, "line %zu is indented: write <<-%.*s to allow tabs",
			sc->near_miss, BUILD_SHOWN(h->name));
	else
		build_hint(sc->build, d,
			"line %zu has blanks around the delimiter; it must stand alone",
			sc->near_miss);
}

void scan_body_end(struct scan *sc)
{
	struct ast_heredoc *h = &sc->line->heredocs.items[sc->bodies];
	struct diag *d = build_error(sc->build, "heredoc", h->word.span,
		"heredoc is not terminated: no line \"%.*s\" follows", BUILD_SHOWN(h->name));

	if (sc->near_miss)
		hint_near_miss(sc, d, h);
	heredoc_set_body(sc->build, h, (struct span){sc->body_start, sc->pos - sc->body_start});
	sc->line->end = sc->pos;
	sc->bodies = sc->line->heredocs.count;
	sc->state = SCAN_EOL;
}

static int keyword_token(struct slice name)
{
	static const int tokens[AST_KEYWORD_COUNT] = {
		[AST_ADD] = DF_ADD,
		[AST_ARG] = DF_ARG,
		[AST_CMD] = DF_CMD,
		[AST_COPY] = DF_COPY,
		[AST_ENTRYPOINT] = DF_ENTRYPOINT,
		[AST_ENV] = DF_ENV,
		[AST_EXPOSE] = DF_EXPOSE,
		[AST_FROM] = DF_FROM,
		[AST_HEALTHCHECK] = DF_HEALTHCHECK,
		[AST_LABEL] = DF_LABEL,
		[AST_MAINTAINER] = DF_MAINTAINER,
		[AST_ONBUILD] = DF_ONBUILD,
		[AST_RUN] = DF_RUN,
		[AST_SHELL] = DF_SHELL,
		[AST_STOPSIGNAL] = DF_STOPSIGNAL,
		[AST_USER] = DF_USER,
		[AST_VOLUME] = DF_VOLUME,
		[AST_WORKDIR] = DF_WORKDIR,
	};
	enum ast_keyword keyword;

	return ast_keyword_find(name, &keyword) ? tokens[keyword] : DF_UNKNOWN;
}

int scan_token(struct scan *sc, struct line **value, struct span *location)
{
	struct line *line = sc->line;

	switch (sc->state) {
	case SCAN_LINE:
		return 0;
	case SCAN_KEYWORD:
		sc->state = line->rest.len ? SCAN_TEXT : SCAN_EOL;
		*value = line;
		*location = line_span(line, line->name);
		return keyword_token(line->name);
	case SCAN_TEXT:
		sc->state = line->heredocs.count ? SCAN_BODY : SCAN_EOL;
		*location = line_span(line, line->rest);
		return DF_TEXT;
	case SCAN_BODY:
		return 0;
	case SCAN_EOL:
		sc->state = SCAN_LINE;
		sc->line = NULL;
		*location = (struct span){line->end, 0};
		return DF_EOL;
	}
	return 0;
}
