// SPDX-License-Identifier: Apache-2.0
/* What only bld understands. */
#include "parser/lint_private.h"

#include "parser/words.h"

static void use(struct lint *l, const struct ast_instruction *ins, struct span at, const char *what)
{
	lint_hint(l,
		lint_report(l, LINT_EXTENSION, ins, at,
			"%s is an extension of bld; other builders refuse it", what),
		"see EXTENSIONS in bld-lint(1)");
}

/* A flag that is off says nothing, but other builders refuse it all the same. */
static void lint_rules_portable_flag(
	struct lint *l, const struct ast_instruction *ins, const struct word *w, const char *what)
{
	if (w->text.ptr)
		use(l, ins, w->span, what);
}

static void lint_rules_portable_variable(
	struct lint *l, const struct ast_instruction *ins, const struct word *w, const char *what)
{
	if (w->text.ptr && slice_has(w->text, '$'))
		use(l, ins, w->span, what);
}

static void lint_rules_portable_look(
	struct lint *l, const struct ast_instruction *ins, const struct ast_instruction *in)
{
	switch (in->keyword) {
	case AST_FROM:
		if (in->from.reset_words.count)
			use(l, ins, in->from.reset_words.items[0].span, "FROM --reset");
		break;
	case AST_RUN:
		lint_rules_portable_flag(l, ins, &in->run.no_cache_word, "RUN --no-cache");
		lint_rules_portable_flag(l, ins, &in->run.timeout, "RUN --timeout");
		for (size_t i = 0; i < in->run.nmounts; i++)
			lint_rules_portable_variable(
				l, ins, &in->run.mounts[i].from, "a variable in RUN --mount=from=");
		break;
	case AST_COPY:
	case AST_ADD:
		lint_rules_portable_variable(l, ins, &in->copy.from, "a variable in COPY --from");
		lint_rules_portable_flag(l, ins, &in->copy.no_follow, "COPY --no-follow");
		lint_rules_portable_flag(l, ins, &in->copy.keep_ownership, "COPY --keep-ownership");
		break;
	case AST_WORKDIR:
		lint_rules_portable_flag(l, ins, &in->workdir.chown, "WORKDIR --chown");
		break;
	case AST_ONBUILD:
		if (in->onbuild.child && in == ins)
			lint_rules_portable_look(l, ins, in->onbuild.child);
		break;
	default:
		break;
	}
}

void lint_rules_extensions(struct lint *l)
{
	if (!l->o->portable)
		return;
	for (size_t i = 0; i < l->df->nstages; i++) {
		const struct ast_stage *stage = &l->df->stages[i];

		if (stage->from)
			lint_rules_portable_look(l, stage->from, stage->from);
		for (size_t k = 0; k < stage->body.count; k++)
			lint_rules_portable_look(l, stage->body.items[k], stage->body.items[k]);
	}
}
