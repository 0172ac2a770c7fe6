// SPDX-License-Identifier: Apache-2.0
/* The actions of the grammar: a complete logical line becomes an instruction of the tree. */
#include "parser/build.h"

#include <stdio.h>

#include "parser/ast.h"
#include "parser/instr.h"
#include "parser/line.h"
#include "parser/suggest.h"

/* Counts instructions; false for those over the limit, which are reported once and not kept. */
static bool build_actions_count(struct build *b)
{
	if (b->seen++ < DOCKERFILE_INSTRUCTIONS_MAX)
		return true;
	if (b->seen == DOCKERFILE_INSTRUCTIONS_MAX + 1)
		build_error(b, "limit", line_span(b->current, b->current->name),
			"more than %d instructions", DOCKERFILE_INSTRUCTIONS_MAX);
	return false;
}

void build_begin(struct build *b, struct line *line)
{
	b->current = line;
}

/* The instruction of the line, or NULL when it is not to be kept. */
static struct ast_instruction *build_actions_parse(struct build *b, struct line *line)
{
	enum ast_keyword keyword;

	if (!build_actions_count(b) || !ast_keyword_find(line->name, &keyword))
		return NULL;
	return instr_parse(b, keyword, line);
}

static void build_actions_push(
	struct build *b, struct ast_instructions *list, struct ast_instruction *ins)
{
	if (!ins)
		return;
	list->items =
		arena_grow(b->arena, list->items, list->count, &list->cap, sizeof *list->items);
	list->items[list->count++] = ins;
}

/* An ONBUILD trigger is one instruction, whichever it is. */
static void trigger(struct build *b, struct line *line)
{
	struct ast_instruction *ins = build_actions_parse(b, line);

	if (b->seen > 1)
		build_error(b, "onbuild", line_span(line, line->name),
			"an ONBUILD trigger must be one instruction");
	else
		b->df->trigger = ins;
}

void build_global(struct build *b, struct line *line)
{
	if (b->trigger)
		trigger(b, line);
	else
		build_actions_push(b, &b->df->globals, build_actions_parse(b, line));
}

void build_misplaced(struct build *b, struct line *line)
{
	if (b->trigger) {
		trigger(b, line);
		return;
	}
	if (!b->told_no_from) {
		b->told_no_from = true;
		build_hint(b,
			build_error(b, "no-from", line_span(line, line->name),
				"%.*s before the first FROM", BUILD_SHOWN(line->name)),
			"a Dockerfile begins with FROM; only ARG may stand before it");
	}
	build_actions_parse(b, line); /* for its own mistakes */
}

void build_from(struct build *b, struct line *line)
{
	struct dockerfile *df = b->df;
	struct ast_instruction *ins;
	struct ast_stage *stage;

	if (b->trigger) {
		build_error(b, "onbuild", line_span(line, line->name),
			"FROM cannot be an ONBUILD trigger");
		return;
	}
	ins = build_actions_parse(b, line);
	if (df->nstages == DOCKERFILE_STAGES_MAX) {
		if (!b->told_stages)
			build_error(b, "limit", line_span(line, line->name), "more than %d stages",
				DOCKERFILE_STAGES_MAX);
		b->told_stages = true;
		return;
	}
	df->stages =
		arena_grow(b->arena, df->stages, df->nstages, &b->stages_cap, sizeof *df->stages);
	stage = &df->stages[df->nstages];
	*stage = (struct ast_stage){.from = ins, .index = df->nstages};
	if (ins)
		stage->name = ins->from.name;
	df->nstages++;
}

void build_step(struct build *b, struct line *line)
{
	struct ast_instruction *ins;

	b->in_body = b->df->nstages > 0;
	ins = build_actions_parse(b, line);
	b->in_body = false;
	if (b->df->nstages)
		build_actions_push(b, &b->df->stages[b->df->nstages - 1].body, ins);
}

static bool conflict(struct slice name)
{
	return slice_eq_str(name, "<<<<<<<") || slice_eq_str(name, "=======") ||
	       slice_eq_str(name, ">>>>>>>");
}

void build_unknown(struct build *b, struct line *line)
{
	const char *names[AST_KEYWORD_COUNT];
	const char *near;
	struct diag *d;
	char first = line->name.ptr[0];
	bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');

	if (!build_actions_count(b))
		return;
	for (unsigned i = 0; i < AST_KEYWORD_COUNT; i++)
		names[i] = ast_keyword_name((enum ast_keyword)i);
	d = build_error(b, "unknown-instruction", line_span(line, line->name),
		"unknown instruction \"%.*s\"", BUILD_SHOWN(line->name));
	near = suggest_nearest(line->name, names, AST_KEYWORD_COUNT);
	if (slice_find_str(line->name, "\xc2\xa0") < line->name.len)
		build_hint(b, d, "it holds a non-breaking space (U+00A0), which is no blank");
	else if (near)
		build_hint(b, d, "did you mean %s?", near);
	else if (conflict(line->name))
		build_hint(b, d, "this looks like what a merge with conflicts left behind");
	else if (b->glued)
		build_hint(b, d, "the << in line %zu begins no heredoc: %s", b->glued,
			b->glued_quote ? "a quote there is not closed"
				       : "it needs a blank before it");
	else if (!letter && b->seen > 1)
		build_hint(b, d, "if it continues the line above, that line must end in %c",
			b->escape);
	else if (first >= 'a' && first <= 'z' && b->seen > 1)
		build_hint(b, d,
			"a command needs RUN before it; if it continues the line above, that line "
			"must end in %c",
			b->escape);
}

void build_incomplete(struct build *b)
{
	if (build_actions_count(b))
		build_error(b, "missing-argument", line_span(b->current, b->current->name),
			"%.*s needs an argument", BUILD_SHOWN(b->current->name));
}

void build_end(struct build *b)
{
	struct span start = {0, 0};

	if (b->seen == 0)
		build_error(b, "empty", start, "no instructions");
	else if (!b->trigger && b->df->nstages == 0 && !b->told_no_from && !b->diags->errors)
		build_hint(b, build_error(b, "no-from", start, "no FROM"),
			"a Dockerfile needs at least one FROM");
}
