// SPDX-License-Identifier: Apache-2.0
/* The table of rules, and those that look at the shape of the text only. */
#include "parser/lint_private.h"

#include <ctype.h>
#include <string.h>

#include "parser/ast.h"
#include "parser/source.h"
#include "parser/words.h"

static const struct lint_rule_info rules[LINT_RULE_COUNT] = {
	[LINT_CONSISTENT_CASING] = {"ConsistentInstructionCasing",
		"All instructions of a Dockerfile have the same casing, upper or lower", false},
	[LINT_COPY_IGNORED] = {"CopyIgnoredFile",
		"COPY and ADD name no source that the ignore file excludes", true},
	[LINT_DUPLICATE_STAGE] = {"DuplicateStageName", "Stage names are unique", false},
	[LINT_EXPOSE_FORMAT] = {"ExposeInvalidFormat",
		"EXPOSE has no IP address and no port of the host", false},
	[LINT_EXPOSE_CASING] = {"ExposeProtoCasing", "The protocol of EXPOSE is in lower case",
		false},
	[LINT_FROM_AS_CASING] = {"FromAsCasing", "The casing of AS is that of FROM", false},
	[LINT_FROM_PLATFORM_CONST] = {"FromPlatformFlagConstDisallowed",
		"FROM --platform is not a constant", false},
	[LINT_BASE_PLATFORM] = {"InvalidBaseImagePlatform",
		"The base image is for the platform of the build", false},
	[LINT_DEFAULT_ARG_IN_FROM] = {"InvalidDefaultArgInFrom",
		"The defaults of global ARGs give a valid base image name", false},
	[LINT_DEFINITION_DESCRIPTION] = {"InvalidDefinitionDescription",
		"The comment above a stage or an ARG begins with its name", true},
	[LINT_JSON_ARGS] = {"JSONArgsRecommended",
		"CMD and ENTRYPOINT are JSON lists, so that the program gets signals", false},
	[LINT_LEGACY_KEY_VALUE] = {"LegacyKeyValueFormat",
		"ENV and LABEL have = between name and value", false},
	[LINT_MAINTAINER] = {"MaintainerDeprecated", "A label names the author, not MAINTAINER",
		false},
	[LINT_MULTIPLE] = {"MultipleInstructionsDisallowed",
		"CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage", false},
	[LINT_EMPTY_CONTINUATION] = {"NoEmptyContinuation",
		"A continued instruction has no blank lines", false},
	[LINT_REDUNDANT_PLATFORM] = {"RedundantTargetPlatform",
		"FROM --platform=$TARGETPLATFORM is what FROM does anyway", false},
	[LINT_RESERVED_STAGE] = {"ReservedStageName", "No stage has a reserved name", false},
	[LINT_SECRETS] = {"SecretsUsedInArgOrEnv", "ARG and ENV hold no secrets", false},
	[LINT_STAGE_CASING] = {"StageNameCasing", "Stage names are in lower case", false},
	[LINT_UNDEFINED_ARG_IN_FROM] = {"UndefinedArgInFrom",
		"Variables of FROM are declared before the first FROM", false},
	[LINT_UNDEFINED_VAR] = {"UndefinedVar", "Variables are defined before their use", false},
	[LINT_RELATIVE_WORKDIR] = {"WorkdirRelativePath",
		"The first WORKDIR is absolute: a relative one depends on the base image", false},
	[LINT_EXTENSION] = {"BldExtension", "Nothing is used that only bld understands", false},
	[LINT_NOT_JSON] = {"InvalidJSONForm",
		"What looks like a JSON list is one, and is not taken as text", false},
};

const struct lint_rule_info *lint_rule_info(enum lint_rule rule)
{
	return &rules[rule];
}

/* --- casing ---------------------------------------------------------------------------------- */

static struct slice keyword(const struct lint *l, const struct ast_instruction *ins)
{
	return slice_sub(l->df->source.text, ins->keyword_span.off, ins->keyword_span.len);
}

static bool all_lower(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= 'A' && s.ptr[i] <= 'Z')
			return false;
	return true;
}

static bool all_upper(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] >= 'a' && s.ptr[i] <= 'z')
			return false;
	return true;
}

typedef void (*each_fn)(struct lint *l, const struct ast_instruction *ins, void *ctx);

static void lint_rules_each(struct lint *l, each_fn fn, void *ctx)
{
	for (size_t i = 0; i < l->df->nstages; i++) {
		const struct ast_stage *stage = &l->df->stages[i];

		if (stage->from)
			fn(l, stage->from, ctx);
		for (size_t k = 0; k < stage->body.count; k++)
			fn(l, stage->body.items[k], ctx);
	}
}

struct casing {
	size_t lower, upper;
};

static void count_casing(struct lint *l, const struct ast_instruction *ins, void *ctx)
{
	struct casing *c = ctx;
	struct slice name = keyword(l, ins);

	c->lower += all_lower(name);
	c->upper += all_upper(name);
}

static void check_casing(struct lint *l, const struct ast_instruction *ins, void *ctx)
{
	const struct casing *c = ctx;
	struct slice name = keyword(l, ins);
	bool lower = c->lower > c->upper;

	if (lower ? all_lower(name) : all_upper(name))
		return;
	lint_report(l, LINT_CONSISTENT_CASING, ins, ins->keyword_span,
		"Command '%.*s' should match the case of the command majority (%s)",
		SLICE_ARG(name), lower ? "lowercase" : "uppercase");
}

/* --- stages ---------------------------------------------------------------------------------- */

/* A FROM whose own casing is mixed has a finding for that. */
static void check_as(struct lint *l, const struct ast_instruction *ins)
{
	struct slice from = keyword(l, ins), as = {0};
	struct words_list words;

	words_blank(ins->rest, l->arena, &words);
	for (size_t i = 1; i + 1 < words.count; i++)
		as = words.items[i].text;
	if (!as.ptr || (all_lower(from) ? all_lower(as) : !all_upper(from) || all_upper(as)))
		return;
	lint_report(l, LINT_FROM_AS_CASING, ins, lint_span(l, as, ins->keyword_span),
		"'%.*s' and '%.*s' keywords' casing do not match", SLICE_ARG(as), SLICE_ARG(from));
}

static void check_stage_name(struct lint *l, size_t index)
{
	const struct ast_instruction *ins = l->df->stages[index].from;
	const struct word *as = &ins->from.as;
	struct slice name = ins->from.name;

	check_as(l, ins);
	if (!all_lower(as->text))
		lint_hint(l,
			lint_report(l, LINT_STAGE_CASING, ins, as->span,
				"Stage name '%.*s' should be lowercase", SLICE_ARG(as->text)),
			"write %.*s", SLICE_ARG(name));
	if (slice_eq_str(name, "scratch") || slice_eq_str(name, "context"))
		lint_report(l, LINT_RESERVED_STAGE, ins, as->span,
			"Stage name should not use the same name as reserved stage \"%.*s\"",
			SLICE_ARG(name));
	for (size_t i = 0; i < index; i++) {
		if (!l->df->stages[i].name.ptr || !slice_eq(l->df->stages[i].name, name))
			continue;
		lint_hint(l,
			lint_report(l, LINT_DUPLICATE_STAGE, ins, as->span,
				"Duplicate stage name \"%.*s\", stage names should be unique",
				SLICE_ARG(name)),
			"later references mean this one, not the stage of line %zu",
			l->df->stages[i].from ? l->df->stages[i].from->first_line : 1);
		return;
	}
}

/* --- comments and lines --------------------------------------------------------------------- */

/* The last comment above, when it is a description and not a mark for this linter; an empty one
 * keeps what is above it away. */
static bool description(const struct lint *l, const struct ast_instruction *ins, struct slice *word)
{
	for (size_t i = ins->comments.count; i-- > 0;) {
		const struct word *w = &ins->comments.items[i];
		bool check = false;

		for (size_t k = 0; k < ins->checks.count; k++)
			check |= ins->checks.items[k].span.off >= w->span.off &&
				 ins->checks.items[k].span.off < w->span.off + w->span.len;
		if (check)
			continue;
		*word = slice_sub(w->text, 0, slice_find(w->text, ' ', 0));
		return w->text.len && !lint_is_directive(l, w);
	}
	return false;
}

static void check_description(struct lint *l, const struct ast_instruction *ins)
{
	bool from = ins->keyword == AST_FROM;
	struct slice word, name = from ? ins->from.name : (struct slice){0};

	if ((from && !name.ptr) || !description(l, ins, &word))
		return;
	if (from && slice_eq(name, word))
		return;
	for (size_t i = 0; !from && i < ins->pairs.count; i++) {
		if (slice_eq(ins->pairs.items[i].key.text, word))
			return;
		name = ins->pairs.count == 1 ? ins->pairs.items[i].key.text : SLICE("<arg_key>");
	}
	lint_report(l, LINT_DEFINITION_DESCRIPTION, ins, ins->keyword_span,
		"Comment for %s should follow the format: `# %.*s <description>`",
		ast_keyword_name(ins->keyword), SLICE_ARG(name));
}

static const struct ast_heredocs *heredocs_of(const struct ast_instruction *ins)
{
	if (ins->keyword == AST_ONBUILD && ins->onbuild.child)
		ins = ins->onbuild.child;
	if (ins->keyword == AST_RUN)
		return &ins->run.heredocs;
	if (ins->keyword == AST_COPY || ins->keyword == AST_ADD)
		return &ins->copy.inlines;
	return NULL;
}

/* An instruction that the end of the file cut off goes on behind its last line. */
static bool goes_on(const struct lint *l, size_t line)
{
	const struct source *s = &l->df->source;
	struct slice text = slice_trim(source_line(s, line));

	if (text.len == 0 || text.ptr[text.len - 1] != l->df->escape ||
		(text.len > 1 && text.ptr[text.len - 2] == l->df->escape))
		return false;
	while (++line <= s->nlines) {
		text = slice_trim(source_line(s, line));
		if (text.len && text.ptr[0] != '#')
			return false;
	}
	return true;
}

/* The last line that could be a blank one inside the instruction: not one of a heredoc. */
static size_t last_joined_line(const struct lint *l, const struct ast_instruction *ins)
{
	const struct ast_heredocs *h = heredocs_of(ins);
	const struct source *s = &l->df->source;
	size_t first = s->text.len;

	for (size_t i = 0; h && i < h->count; i++)
		if (h->items[i].body_span.off < first)
			first = h->items[i].body_span.off;
	if (h && h->count)
		return source_line_of(s, first) - 1;
	return goes_on(l, ins->last_line) ? s->nlines : ins->last_line;
}

static void check_lines(struct lint *l, const struct ast_instruction *ins)
{
	const struct source *s = &l->df->source;
	size_t end = last_joined_line(l, ins);

	for (size_t line = ins->first_line + 1; line <= end; line++) {
		size_t off = s->line_start[line - 1];

		if (slice_trim(source_line(s, line)).len || off >= s->text.len)
			continue;
		lint_hint(l,
			lint_report(l, LINT_EMPTY_CONTINUATION, ins, (struct span){off, 0},
				"Empty continuation line"),
			"remove it, or start a comment with #");
		return;
	}
}

/* --- old forms ------------------------------------------------------------------------------ */

static void check_old(struct lint *l, const struct ast_instruction *ins)
{
	const char *name = ast_keyword_name(ins->keyword);

	if (ins->keyword == AST_MAINTAINER)
		lint_hint(l,
			lint_report(l, LINT_MAINTAINER, ins, ins->keyword_span,
				"Maintainer instruction is deprecated in favor of using label"),
			"write LABEL org.opencontainers.image.authors=\"...\"");
	if ((ins->keyword != AST_ENV && ins->keyword != AST_LABEL) || !ins->pairs.legacy)
		return;
	lint_report(l, LINT_LEGACY_KEY_VALUE, ins, ins->pairs.items[0].key.span,
		"\"%s key=value\" should be used instead of legacy \"%s key value\" format", name,
		name);
}

static void check_instruction(struct lint *l, const struct ast_instruction *ins, void *ctx)
{
	(void)ctx;
	check_lines(l, ins);
	check_old(l, ins);
	if (ins->keyword == AST_ARG || ins->keyword == AST_FROM)
		check_description(l, ins);
}

/* The instruction a warning of the parser stands in, for its comments. */
struct finder {
	size_t off;
	const struct ast_instruction *found;
};

static void find_at(struct lint *l, const struct ast_instruction *ins, void *ctx)
{
	struct finder *f = ctx;

	(void)l;
	if (f->off >= ins->span.off && f->off < ins->span.off + ins->span.len)
		f->found = ins;
}

static void take_parser_warnings(struct lint *l)
{
	for (size_t i = 0; i < l->df->diags.count; i++) {
		const struct diag *w = &l->df->diags.items[i];
		struct finder f = {.off = w->span.off};
		struct diag *d;

		if (w->severity != DIAG_WARNING)
			continue;
		lint_rules_each(l, find_at, &f);
		/* Those have a finding of their own, which knows about SHELL. */
		if (f.found && (f.found->keyword == AST_CMD || f.found->keyword == AST_ENTRYPOINT))
			continue;
		d = lint_report(l, LINT_NOT_JSON, f.found, w->span, "%.*s", SLICE_ARG(w->message));
		if (d)
			d->hint = w->hint;
	}
}

void lint_rules_text(struct lint *l)
{
	struct casing c = {0, 0};

	lint_rules_each(l, count_casing, &c);
	lint_rules_each(l, check_casing, &c);
	for (size_t i = 0; i < l->df->globals.count; i++)
		check_instruction(l, l->df->globals.items[i], NULL);
	lint_rules_each(l, check_instruction, NULL);
	for (size_t i = 0; i < l->df->nstages; i++)
		if (l->df->stages[i].from && l->df->stages[i].name.ptr)
			check_stage_name(l, i);
	take_parser_warnings(l);
}
