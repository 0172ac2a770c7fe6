// SPDX-License-Identifier: Apache-2.0
/*
 * Printing the tree. One walk for both forms: JSON, and lines "key: value" indented by depth. What
 * was not written is left out of both.
 */
#include "parser/ast.h"
#include "parser/diag.h"
#include "parser/dockerfile.h"
#include "parser/mountopt.h"

#include <inttypes.h>
#include <stdio.h>

#define DEPTH_MAX 16

struct dump {
	slice_sink_fn sink;
	void *ctx;
	bool json;
	unsigned depth;
	bool first[DEPTH_MAX]; /* nothing printed at this depth yet */
};

static void dockerfile_dump_put(struct dump *d, const char *text)
{
	d->sink(d->ctx, slice_of(text));
}

/* What stands before a value; key NULL in lists. */
static void lead(struct dump *d, const char *key)
{
	if (d->json) {
		if (!d->first[d->depth])
			dockerfile_dump_put(d, ",");
		d->first[d->depth] = false;
		if (key) {
			diag_render_json_string(slice_of(key), d->sink, d->ctx);
			dockerfile_dump_put(d, ":");
		}
		return;
	}
	for (unsigned i = 1; i < d->depth; i++)
		dockerfile_dump_put(d, "  ");
	dockerfile_dump_put(d, key ? key : "-");
	dockerfile_dump_put(d, key ? ":" : "");
}

static void open_level(struct dump *d, const char *bracket)
{
	dockerfile_dump_put(d, d->json ? bracket : "\n");
	d->first[++d->depth] = true;
}

static void close_level(struct dump *d, const char *bracket)
{
	d->depth--;
	if (d->json)
		dockerfile_dump_put(d, bracket);
}

static void open_list(struct dump *d, const char *key)
{
	lead(d, key);
	open_level(d, "[");
}

static void open_object(struct dump *d, const char *key)
{
	lead(d, key);
	open_level(d, "{");
}

static void dockerfile_dump_string(struct dump *d, const char *key, struct slice s)
{
	if (!s.ptr)
		return;
	lead(d, key);
	if (!d->json)
		dockerfile_dump_put(d, " ");
	diag_render_json_string(s, d->sink, d->ctx);
	if (!d->json)
		dockerfile_dump_put(d, "\n");
}

static void dockerfile_dump_plain(struct dump *d, const char *key, const char *value)
{
	lead(d, key);
	if (!d->json)
		dockerfile_dump_put(d, " ");
	dockerfile_dump_put(d, value);
	if (!d->json)
		dockerfile_dump_put(d, "\n");
}

static void dockerfile_dump_boolean(struct dump *d, const char *key, bool value)
{
	dockerfile_dump_plain(d, key, value ? "true" : "false");
}

static void dockerfile_dump_number(struct dump *d, const char *key, int64_t value)
{
	char text[32];

	snprintf(text, sizeof text, "%" PRId64, value);
	dockerfile_dump_plain(d, key, text);
}

static void dockerfile_dump_word(struct dump *d, const char *key, struct word w)
{
	dockerfile_dump_string(d, key, w.text);
}

static void dockerfile_dump_words(struct dump *d, const char *key, const struct word_list *list)
{
	open_list(d, key);
	for (size_t i = 0; i < list->count; i++)
		dockerfile_dump_word(d, NULL, list->items[i]);
	close_level(d, "]");
}

static void dockerfile_dump_command(struct dump *d, const struct ast_command *c)
{
	if (c->json)
		dockerfile_dump_words(d, "exec", &c->words);
	else
		dockerfile_dump_string(d, "shell", c->text);
}

static void heredocs(struct dump *d, const struct ast_heredocs *list)
{
	if (list->count == 0)
		return;
	open_list(d, "heredocs");
	for (size_t i = 0; i < list->count; i++) {
		const struct ast_heredoc *h = &list->items[i];

		open_object(d, NULL);
		dockerfile_dump_word(d, "word", h->word);
		dockerfile_dump_string(d, "name", h->name);
		dockerfile_dump_boolean(d, "expand", h->expand);
		dockerfile_dump_boolean(d, "strip_tabs", h->chomp);
		dockerfile_dump_string(d, "body", h->body);
		close_level(d, "}");
	}
	close_level(d, "]");
}

static void dockerfile_dump_mount(struct dump *d, const struct ast_mount *m)
{
	open_object(d, NULL);
	if (m->type_word.text.ptr)
		dockerfile_dump_word(d, "type", m->type_word);
	else
		dockerfile_dump_string(d, "type", slice_of(mountopt_type_name(m->type)));
	dockerfile_dump_word(d, "target", m->target);
	dockerfile_dump_word(d, "source", m->source);
	dockerfile_dump_word(d, "from", m->from);
	dockerfile_dump_word(d, "id", m->id);
	dockerfile_dump_word(d, "sharing", m->sharing);
	dockerfile_dump_word(d, "uid", m->uid);
	dockerfile_dump_word(d, "gid", m->gid);
	dockerfile_dump_word(d, "mode", m->mode);
	dockerfile_dump_word(d, "size", m->size);
	dockerfile_dump_word(d, "env", m->env);
	dockerfile_dump_word(d, "readonly", m->readonly);
	dockerfile_dump_word(d, "readwrite", m->readwrite);
	dockerfile_dump_word(d, "required", m->required);
	dockerfile_dump_word(d, "U", m->chown);
	dockerfile_dump_word(d, "noexec", m->noexec);
	close_level(d, "}");
}

static void dockerfile_dump_run(struct dump *d, const struct ast_run *r)
{
	if (r->nmounts) {
		open_list(d, "mounts");
		for (size_t i = 0; i < r->nmounts; i++)
			dockerfile_dump_mount(d, &r->mounts[i]);
		close_level(d, "]");
	}
	dockerfile_dump_word(d, "network", r->network_word);
	dockerfile_dump_word(d, "security", r->security_word);
	dockerfile_dump_word(d, "no_cache", r->no_cache_word);
	dockerfile_dump_word(d, "timeout", r->timeout);
	if (r->devices.count)
		dockerfile_dump_words(d, "devices", &r->devices);
	dockerfile_dump_command(d, &r->command);
	heredocs(d, &r->heredocs);
	if (r->heredocs.count)
		dockerfile_dump_string(d, "script", r->script);
}

static void dockerfile_dump_copy(struct dump *d, const struct ast_copy *c)
{
	dockerfile_dump_word(d, "from", c->from);
	dockerfile_dump_word(d, "chown", c->chown);
	dockerfile_dump_word(d, "chmod", c->chmod);
	dockerfile_dump_word(d, "checksum", c->checksum);
	dockerfile_dump_word(d, "link", c->link);
	dockerfile_dump_word(d, "parents", c->parents);
	dockerfile_dump_word(d, "unpack", c->unpack);
	dockerfile_dump_word(d, "keep_git_dir", c->keep_git_dir);
	dockerfile_dump_word(d, "no_follow", c->no_follow);
	dockerfile_dump_word(d, "keep_ownership", c->keep_ownership);
	if (c->excludes.count)
		dockerfile_dump_words(d, "excludes", &c->excludes);
	dockerfile_dump_words(d, "sources", &c->sources);
	heredocs(d, &c->inlines);
	dockerfile_dump_word(d, "dest", c->dest);
}

static void dockerfile_dump_pairs(struct dump *d, const struct ast_pairs *list)
{
	if (list->legacy)
		dockerfile_dump_boolean(d, "legacy", true);
	open_list(d, "pairs");
	for (size_t i = 0; i < list->count; i++) {
		open_object(d, NULL);
		dockerfile_dump_word(d, "key", list->items[i].key);
		dockerfile_dump_word(d, "value", list->items[i].value);
		close_level(d, "}");
	}
	close_level(d, "]");
}

static void dockerfile_dump_healthcheck(struct dump *d, const struct ast_healthcheck *h)
{
	if (h->none) {
		dockerfile_dump_boolean(d, "none", true);
		return;
	}
	if (h->interval_ns)
		dockerfile_dump_number(d, "interval_ns", h->interval_ns);
	if (h->timeout_ns)
		dockerfile_dump_number(d, "timeout_ns", h->timeout_ns);
	if (h->start_period_ns)
		dockerfile_dump_number(d, "start_period_ns", h->start_period_ns);
	if (h->start_interval_ns)
		dockerfile_dump_number(d, "start_interval_ns", h->start_interval_ns);
	if (h->retries)
		dockerfile_dump_number(d, "retries", h->retries);
	dockerfile_dump_command(d, &h->command);
}

static void dockerfile_dump_instruction(
	struct dump *d, const char *key, const struct ast_instruction *ins);

static void body(struct dump *d, const struct ast_instruction *ins)
{
	switch (ins->keyword) {
	case AST_ADD:
	case AST_COPY:
		dockerfile_dump_copy(d, &ins->copy);
		return;
	case AST_ARG:
	case AST_ENV:
	case AST_LABEL:
		dockerfile_dump_pairs(d, &ins->pairs);
		return;
	case AST_CMD:
	case AST_ENTRYPOINT:
		dockerfile_dump_command(d, &ins->command);
		return;
	case AST_EXPOSE:
	case AST_SHELL:
	case AST_VOLUME:
		dockerfile_dump_words(d, "words", &ins->words);
		return;
	case AST_FROM:
		dockerfile_dump_word(d, "image", ins->from.image);
		dockerfile_dump_word(d, "platform", ins->from.platform);
		if (ins->from.reset_words.count)
			dockerfile_dump_words(d, "reset", &ins->from.reset_words);
		dockerfile_dump_string(d, "name", ins->from.name);
		return;
	case AST_HEALTHCHECK:
		dockerfile_dump_healthcheck(d, &ins->healthcheck);
		return;
	case AST_ONBUILD:
		dockerfile_dump_string(d, "trigger", ins->onbuild.trigger);
		dockerfile_dump_instruction(d, "child", ins->onbuild.child);
		return;
	case AST_RUN:
		dockerfile_dump_run(d, &ins->run);
		return;
	case AST_MAINTAINER:
	case AST_STOPSIGNAL:
	case AST_USER:
		dockerfile_dump_word(d, "word", ins->word);
		return;
	case AST_WORKDIR:
		dockerfile_dump_word(d, "word", ins->workdir.path);
		dockerfile_dump_word(d, "chown", ins->workdir.chown);
		return;
	}
}

static void dockerfile_dump_instruction(
	struct dump *d, const char *key, const struct ast_instruction *ins)
{
	open_object(d, key);
	dockerfile_dump_string(d, "instruction", slice_of(ast_keyword_name(ins->keyword)));
	dockerfile_dump_number(d, "line", (int64_t)ins->first_line);
	if (ins->last_line != ins->first_line)
		dockerfile_dump_number(d, "end_line", (int64_t)ins->last_line);
	if (ins->checks.count)
		dockerfile_dump_words(d, "checks", &ins->checks);
	body(d, ins);
	close_level(d, "}");
}

static void instructions(struct dump *d, const char *key, const struct ast_instructions *list)
{
	open_list(d, key);
	for (size_t i = 0; i < list->count; i++)
		dockerfile_dump_instruction(d, NULL, list->items[i]);
	close_level(d, "]");
}

static void tree(struct dump *d, const struct dockerfile *df)
{
	dockerfile_dump_string(d, "escape", (struct slice){&df->escape, 1});
	dockerfile_dump_word(d, "syntax", df->syntax);
	dockerfile_dump_word(d, "check", df->check);
	if (df->trigger)
		dockerfile_dump_instruction(d, "trigger", df->trigger);
	if (df->globals.count)
		instructions(d, "globals", &df->globals);
	open_list(d, "stages");
	for (size_t i = 0; i < df->nstages; i++) {
		open_object(d, NULL);
		dockerfile_dump_number(d, "index", (int64_t)df->stages[i].index);
		dockerfile_dump_string(d, "name", df->stages[i].name);
		if (df->stages[i].from)
			dockerfile_dump_instruction(d, "from", df->stages[i].from);
		instructions(d, "body", &df->stages[i].body);
		close_level(d, "}");
	}
	close_level(d, "]");
}

void dockerfile_dump_text(const struct dockerfile *df, slice_sink_fn sink, void *ctx)
{
	struct dump d = {.sink = sink, .ctx = ctx, .depth = 1};

	tree(&d, df);
}

void dockerfile_dump_json(const struct dockerfile *df, slice_sink_fn sink, void *ctx)
{
	struct dump d = {.sink = sink, .ctx = ctx, .json = true};

	dockerfile_dump_put(&d, "{");
	d.first[++d.depth] = true;
	tree(&d, df);
	close_level(&d, "}");
	dockerfile_dump_put(&d, "\n");
}
