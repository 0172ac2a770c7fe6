// SPDX-License-Identifier: Apache-2.0
/*
 * The tree as a Dockerfile again: one line per instruction, keywords in upper case, flags first and
 * in fixed order, heredoc bodies as they were. Parsing it gives the same tree, spans apart.
 */
#include "parser/ast.h"
#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/mountopt.h"

#include <inttypes.h>
#include <stdio.h>

struct print {
	slice_sink_fn sink;
	void *ctx;
	char escape;
	size_t run;   /* escape characters the line ends in so far, blanks behind them apart */
	bool gap;     /* a blank was the last */
	bool started; /* something follows the keyword: only its blank is missing */
};

/* Part of a line. How it ends is kept, because one escape character there would continue it. */
static void dockerfile_print_put(struct print *p, struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		bool blank = s.ptr[i] == ' ' || s.ptr[i] == '\t';

		if (s.ptr[i] == p->escape)
			p->run = p->gap ? 1 : p->run + 1;
		else if (!blank)
			p->run = 0;
		p->gap = blank;
	}
	p->sink(p->ctx, s);
}

static void put_str(struct print *p, const char *text)
{
	dockerfile_print_put(p, slice_of(text));
}

static void dockerfile_print_end_line(struct print *p)
{
	/* Only the last line of a file can end so: its continuation never came. */
	if (p->run == 1) {
		char mark[] = {' ', p->escape, '\0'};

		put_str(p, mark);
	}
	put_str(p, "\n");
	p->run = 0;
}

static void dockerfile_print_escaped(struct print *p, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (slice_is_blank(c) || c == '"' || c == '\'' || c == p->escape)
			dockerfile_print_put(p, (struct slice){&p->escape, 1});
		dockerfile_print_put(p, slice_sub(value, i, 1));
	}
}

static void dockerfile_print_flag(struct print *p, const char *name, struct word value)
{
	if (!value.text.ptr)
		return;
	put_str(p, " --");
	put_str(p, name);
	put_str(p, "=");
	dockerfile_print_escaped(p, value.text);
}

static void dockerfile_print_boolean(struct print *p, const char *name, struct word value)
{
	if (!slice_eq_str(value.text, "true")) {
		dockerfile_print_flag(p, name, value);
		return;
	}
	put_str(p, " --");
	put_str(p, name);
}

/* The first thing after the flags; a lone -- keeps it from being taken for one. */
static void argument(struct print *p, struct slice text)
{
	put_str(p, slice_starts(text, "--") && !p->started ? " -- " : " ");
	dockerfile_print_put(p, text);
	p->started = true;
}

static void sink_put(void *ctx, struct slice bytes)
{
	dockerfile_print_put(ctx, bytes);
}

static void json(struct print *p, const struct word_list *list, const struct word *last)
{
	put_str(p, " [");
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			put_str(p, ", ");
		diag_render_json_string(list->items[i].text, sink_put, p);
	}
	if (last) {
		if (list->count)
			put_str(p, ", ");
		diag_render_json_string(last->text, sink_put, p);
	}
	put_str(p, "]");
}

static void dockerfile_print_words(struct print *p, const struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		argument(p, list->items[i].text);
}

static void dockerfile_print_command(struct print *p, const struct ast_command *c)
{
	if (c->json)
		json(p, &c->words, NULL);
	else
		argument(p, c->text);
}

static void bodies(struct print *p, const struct ast_heredocs *list)
{
	for (size_t i = 0; i < list->count; i++) {
		p->sink(p->ctx, list->items[i].raw);
		p->sink(p->ctx, list->items[i].name);
		p->sink(p->ctx, SLICE("\n"));
	}
}

/* One key=value of a mount: a record of comma-separated values, inside the flag's own quoting. */
static void dockerfile_print_field(
	struct print *p, const char *before, const char *key, struct word value)
{
	bool quoted = slice_has(value.text, ',') || slice_has(value.text, '"');

	put_str(p, before);
	if (quoted)
		dockerfile_print_escaped(p, SLICE("\""));
	put_str(p, key);
	put_str(p, "=");
	for (size_t i = 0; i < value.text.len; i++) {
		if (value.text.ptr[i] == '"')
			dockerfile_print_escaped(p, SLICE("\""));
		dockerfile_print_escaped(p, slice_sub(value.text, i, 1));
	}
	if (quoted)
		dockerfile_print_escaped(p, SLICE("\""));
}

static void option(struct print *p, const char *key, struct word value)
{
	if (value.text.ptr)
		dockerfile_print_field(p, ",", key, value);
}

static void bare(struct print *p, const char *key, struct word value)
{
	if (!value.text.ptr)
		return;
	put_str(p, ",");
	put_str(p, key);
}

static void dockerfile_print_mount(struct print *p, const struct ast_mount *m)
{
	bool known = !m->type_word.text.ptr;

	put_str(p, " --mount=");
	if (known)
		put_str(p, "type=");
	if (known)
		put_str(p, mountopt_type_name(m->type));
	else
		dockerfile_print_field(p, "", "type", m->type_word);
	option(p, "from", m->from);
	option(p, "source", m->source);
	option(p, "id", m->id);
	option(p, "target", m->target);
	option(p, "sharing", m->sharing);
	option(p, "uid", m->uid);
	option(p, "gid", m->gid);
	option(p, known ? mountopt_mode_name(m->type) : "mode", m->mode);
	option(p, "size", m->size);
	option(p, "env", m->env);
	option(p, "readonly", m->readonly);
	option(p, "readwrite", m->readwrite);
	option(p, "required", m->required);
	bare(p, "U", m->chown);
	bare(p, "noexec", m->noexec);
}

static void dockerfile_print_run(struct print *p, const struct ast_run *r)
{
	dockerfile_print_flag(p, "network", r->network_word);
	dockerfile_print_flag(p, "security", r->security_word);
	for (size_t i = 0; i < r->devices.count; i++)
		dockerfile_print_flag(p, "device", r->devices.items[i]);
	dockerfile_print_boolean(p, "no-cache", r->no_cache_word);
	dockerfile_print_flag(p, "timeout", r->timeout);
	for (size_t i = 0; i < r->nmounts; i++)
		dockerfile_print_mount(p, &r->mounts[i]);
	dockerfile_print_command(p, &r->command);
	dockerfile_print_end_line(p);
	bodies(p, &r->heredocs);
}

static void dockerfile_print_copy(struct print *p, const struct ast_copy *c)
{
	size_t source = 0, inlined = 0;

	dockerfile_print_flag(p, "from", c->from);
	dockerfile_print_flag(p, "chown", c->chown);
	dockerfile_print_flag(p, "chmod", c->chmod);
	dockerfile_print_flag(p, "checksum", c->checksum);
	dockerfile_print_boolean(p, "link", c->link);
	dockerfile_print_boolean(p, "parents", c->parents);
	dockerfile_print_boolean(p, "unpack", c->unpack);
	dockerfile_print_boolean(p, "keep-git-dir", c->keep_git_dir);
	dockerfile_print_boolean(p, "no-follow", c->no_follow);
	dockerfile_print_boolean(p, "keep-ownership", c->keep_ownership);
	for (size_t i = 0; i < c->excludes.count; i++)
		dockerfile_print_flag(p, "exclude", c->excludes.items[i]);
	if (c->json) {
		json(p, &c->sources, &c->dest);
		dockerfile_print_end_line(p);
		return;
	}
	while (source < c->sources.count || inlined < c->inlines.count) {
		const struct word *s = source < c->sources.count ? &c->sources.items[source] : NULL;
		const struct word *h =
			inlined < c->inlines.count ? &c->inlines.items[inlined].word : NULL;

		if (s && (!h || s->span.off < h->span.off)) {
			argument(p, s->text);
			source++;
		} else if (h) {
			argument(p, h->text);
			inlined++;
		}
	}
	argument(p, c->dest.text);
	dockerfile_print_end_line(p);
	bodies(p, &c->inlines);
}

static void dockerfile_print_pairs(struct print *p, const struct ast_pairs *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct ast_pair *pair = &list->items[i];

		argument(p, pair->key.text);
		if (!pair->value.text.ptr)
			continue;
		put_str(p, list->legacy ? " " : "=");
		dockerfile_print_put(p, pair->value.text);
	}
}

static void duration(struct print *p, const char *name, int64_t ns)
{
	static const struct {
		int64_t ns;
		const char *name;
	} units[] = {{3600000000000, "h"}, {60000000000, "m"}, {1000000000, "s"}, {1000000, "ms"},
		{1000, "us"}, {1, "ns"}};
	char text[64];
	size_t i = 0;

	if (ns == 0)
		return;
	while (ns % units[i].ns)
		i++;
	snprintf(text, sizeof text, " --%s=%" PRId64 "%s", name, ns / units[i].ns, units[i].name);
	put_str(p, text);
}

static void dockerfile_print_healthcheck(struct print *p, const struct ast_healthcheck *h)
{
	char text[64];

	duration(p, "interval", h->interval_ns);
	duration(p, "timeout", h->timeout_ns);
	duration(p, "start-period", h->start_period_ns);
	duration(p, "start-interval", h->start_interval_ns);
	if (h->retries) {
		snprintf(text, sizeof text, " --retries=%" PRId64, h->retries);
		put_str(p, text);
	}
	put_str(p, h->none ? " NONE" : " CMD");
	p->started = true;
	if (!h->none)
		dockerfile_print_command(p, &h->command);
}

static void from(struct print *p, const struct ast_from *f)
{
	dockerfile_print_flag(p, "platform", f->platform);
	for (size_t i = 0; i < f->reset_words.count; i++)
		dockerfile_print_flag(p, "reset", f->reset_words.items[i]);
	argument(p, f->image.text);
	if (f->as.text.ptr) {
		put_str(p, " AS ");
		dockerfile_print_put(p, f->as.text);
	}
}

/* What follows the keyword; the line is ended by those that have bodies after it. */
static bool rest(struct print *p, const struct ast_instruction *ins)
{
	switch (ins->keyword) {
	case AST_ADD:
	case AST_COPY:
		dockerfile_print_copy(p, &ins->copy);
		return true;
	case AST_RUN:
		dockerfile_print_run(p, &ins->run);
		return true;
	case AST_ARG:
	case AST_ENV:
	case AST_LABEL:
		dockerfile_print_pairs(p, &ins->pairs);
		return false;
	case AST_CMD:
	case AST_ENTRYPOINT:
		dockerfile_print_command(p, &ins->command);
		return false;
	case AST_EXPOSE:
	case AST_SHELL:
	case AST_VOLUME:
		if (ins->words_json)
			json(p, &ins->words, NULL);
		else
			dockerfile_print_words(p, &ins->words);
		return false;
	case AST_FROM:
		from(p, &ins->from);
		return false;
	case AST_HEALTHCHECK:
		dockerfile_print_healthcheck(p, &ins->healthcheck);
		return false;
	case AST_ONBUILD:
		argument(p, ins->onbuild.trigger);
		return false;
	case AST_WORKDIR:
		dockerfile_print_flag(p, "chown", ins->workdir.chown);
		argument(p, ins->workdir.path.text);
		return false;
	case AST_MAINTAINER:
	case AST_STOPSIGNAL:
	case AST_USER:
		argument(p, ins->word.text);
		return false;
	}
	return false;
}

static void dockerfile_print_instruction(struct print *p, const struct ast_instruction *ins)
{
	for (size_t i = 0; i < ins->comments.count; i++) {
		p->sink(p->ctx, ins->comments.items[i].text.len ? SLICE("# ") : SLICE("#"));
		p->sink(p->ctx, ins->comments.items[i].text);
		p->sink(p->ctx, SLICE("\n"));
	}
	p->run = 0;
	p->started = false;
	put_str(p, ast_keyword_name(ins->keyword));
	if (!rest(p, ins))
		dockerfile_print_end_line(p);
}

static bool directive(struct print *p, const char *name, struct word value)
{
	if (!value.text.ptr)
		return false;
	put_str(p, "# ");
	put_str(p, name);
	put_str(p, "=");
	dockerfile_print_put(p, value.text);
	put_str(p, "\n");
	return true;
}

static const struct ast_instruction *first(const struct dockerfile *df)
{
	if (df->globals.count)
		return df->globals.items[0];
	return df->nstages ? df->stages[0].from : NULL;
}

void dockerfile_print(const struct dockerfile *df, slice_sink_fn sink, void *ctx)
{
	struct print p = {.sink = sink, .ctx = ctx, .escape = df->escape};
	bool head;

	if (df->trigger) {
		dockerfile_print_instruction(&p, df->trigger);
		return;
	}
	head = directive(&p, "syntax", df->syntax);
	head |= directive(&p, "escape", df->escape_word);
	head |= directive(&p, "check", df->check);
	/* The blank line ends the directives: what follows is a comment. */
	if (head || (first(df) && first(df)->comments.count))
		put_str(&p, "\n");
	for (size_t i = 0; i < df->globals.count; i++)
		dockerfile_print_instruction(&p, df->globals.items[i]);
	for (size_t i = 0; i < df->nstages; i++) {
		const struct ast_stage *stage = &df->stages[i];

		if (i || df->globals.count)
			put_str(&p, "\n");
		if (stage->from)
			dockerfile_print_instruction(&p, stage->from);
		for (size_t k = 0; k < stage->body.count; k++)
			dockerfile_print_instruction(&p, stage->body.items[k]);
	}
}
