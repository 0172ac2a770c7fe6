// SPDX-License-Identifier: Apache-2.0
/*
 * Printing the tree. One walk for both forms: JSON, and lines "key: value" indented by depth. What
 * was not written is left out of both.
 */
#include "parser/ast.h"
#include "parser/diag.h"
#include "parser/dockerfile.h"

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

static void put(struct dump *d, const char *text)
{
	d->sink(d->ctx, slice_of(text));
}

/* What stands before a value; key NULL in lists. */
static void lead(struct dump *d, const char *key)
{
	if (d->json) {
		if (!d->first[d->depth])
			put(d, ",");
		d->first[d->depth] = false;
		if (key) {
			diag_render_json_string(slice_of(key), d->sink, d->ctx);
			put(d, ":");
		}
		return;
	}
	for (unsigned i = 1; i < d->depth; i++)
		put(d, "  ");
	put(d, key ? key : "-");
	put(d, key ? ":" : "");
}

static void open_level(struct dump *d, const char *bracket)
{
	put(d, d->json ? bracket : "\n");
	d->first[++d->depth] = true;
}

static void close_level(struct dump *d, const char *bracket)
{
	d->depth--;
	if (d->json)
		put(d, bracket);
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

static void string(struct dump *d, const char *key, struct slice s)
{
	if (!s.ptr)
		return;
	lead(d, key);
	if (!d->json)
		put(d, " ");
	diag_render_json_string(s, d->sink, d->ctx);
	if (!d->json)
		put(d, "\n");
}

static void plain(struct dump *d, const char *key, const char *value)
{
	lead(d, key);
	if (!d->json)
		put(d, " ");
	put(d, value);
	if (!d->json)
		put(d, "\n");
}

static void boolean(struct dump *d, const char *key, bool value)
{
	plain(d, key, value ? "true" : "false");
}

static void number(struct dump *d, const char *key, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	plain(d, key, text);
}

static void word(struct dump *d, const char *key, struct word w)
{
	string(d, key, w.text);
}

static void words(struct dump *d, const char *key, const struct word_list *list)
{
	open_list(d, key);
	for (size_t i = 0; i < list->count; i++)
		word(d, NULL, list->items[i]);
	close_level(d, "]");
}

static void command(struct dump *d, const struct ast_command *c)
{
	if (c->json)
		words(d, "exec", &c->words);
	else
		string(d, "shell", c->text);
}

static void heredocs(struct dump *d, const struct ast_heredocs *list)
{
	if (list->count == 0)
		return;
	open_list(d, "heredocs");
	for (size_t i = 0; i < list->count; i++) {
		const struct ast_heredoc *h = &list->items[i];

		open_object(d, NULL);
		word(d, "word", h->word);
		string(d, "name", h->name);
		boolean(d, "expand", h->expand);
		boolean(d, "strip_tabs", h->chomp);
		string(d, "body", h->body);
		close_level(d, "}");
	}
	close_level(d, "]");
}

static void mount(struct dump *d, const struct ast_mount *m)
{
	open_object(d, NULL);
	if (m->type_word.text.ptr)
		word(d, "type", m->type_word);
	else
		string(d, "type", slice_of(ast_mount_type_name(m->type)));
	word(d, "target", m->target);
	word(d, "source", m->source);
	word(d, "from", m->from);
	word(d, "id", m->id);
	word(d, "sharing", m->sharing);
	word(d, "uid", m->uid);
	word(d, "gid", m->gid);
	word(d, "mode", m->mode);
	word(d, "size", m->size);
	word(d, "env", m->env);
	word(d, "readonly", m->readonly);
	word(d, "readwrite", m->readwrite);
	word(d, "required", m->required);
	word(d, "U", m->chown);
	word(d, "noexec", m->noexec);
	close_level(d, "}");
}

static void run(struct dump *d, const struct ast_run *r)
{
	if (r->nmounts) {
		open_list(d, "mounts");
		for (size_t i = 0; i < r->nmounts; i++)
			mount(d, &r->mounts[i]);
		close_level(d, "]");
	}
	word(d, "network", r->network_word);
	word(d, "security", r->security_word);
	word(d, "no_cache", r->no_cache_word);
	word(d, "timeout", r->timeout);
	if (r->devices.count)
		words(d, "devices", &r->devices);
	command(d, &r->command);
	heredocs(d, &r->heredocs);
	if (r->heredocs.count)
		string(d, "script", r->script);
}

static void copy(struct dump *d, const struct ast_copy *c)
{
	word(d, "from", c->from);
	word(d, "chown", c->chown);
	word(d, "chmod", c->chmod);
	word(d, "checksum", c->checksum);
	word(d, "link", c->link);
	word(d, "parents", c->parents);
	word(d, "unpack", c->unpack);
	word(d, "keep_git_dir", c->keep_git_dir);
	word(d, "no_follow", c->no_follow);
	word(d, "keep_ownership", c->keep_ownership);
	if (c->excludes.count)
		words(d, "excludes", &c->excludes);
	words(d, "sources", &c->sources);
	heredocs(d, &c->inlines);
	word(d, "dest", c->dest);
}

static void pairs(struct dump *d, const struct ast_pairs *list)
{
	if (list->legacy)
		boolean(d, "legacy", true);
	open_list(d, "pairs");
	for (size_t i = 0; i < list->count; i++) {
		open_object(d, NULL);
		word(d, "key", list->items[i].key);
		word(d, "value", list->items[i].value);
		close_level(d, "}");
	}
	close_level(d, "]");
}

static void healthcheck(struct dump *d, const struct ast_healthcheck *h)
{
	if (h->none) {
		boolean(d, "none", true);
		return;
	}
	if (h->interval_ns)
		number(d, "interval_ns", h->interval_ns);
	if (h->timeout_ns)
		number(d, "timeout_ns", h->timeout_ns);
	if (h->start_period_ns)
		number(d, "start_period_ns", h->start_period_ns);
	if (h->start_interval_ns)
		number(d, "start_interval_ns", h->start_interval_ns);
	if (h->retries)
		number(d, "retries", h->retries);
	command(d, &h->command);
}

static void instruction(struct dump *d, const char *key, const struct ast_instruction *ins);

static void body(struct dump *d, const struct ast_instruction *ins)
{
	switch (ins->keyword) {
	case AST_ADD:
	case AST_COPY:
		copy(d, &ins->copy);
		return;
	case AST_ARG:
	case AST_ENV:
	case AST_LABEL:
		pairs(d, &ins->pairs);
		return;
	case AST_CMD:
	case AST_ENTRYPOINT:
		command(d, &ins->command);
		return;
	case AST_EXPOSE:
	case AST_SHELL:
	case AST_VOLUME:
		words(d, "words", &ins->words);
		return;
	case AST_FROM:
		word(d, "image", ins->from.image);
		word(d, "platform", ins->from.platform);
		if (ins->from.reset_words.count)
			words(d, "reset", &ins->from.reset_words);
		string(d, "name", ins->from.name);
		return;
	case AST_HEALTHCHECK:
		healthcheck(d, &ins->healthcheck);
		return;
	case AST_ONBUILD:
		string(d, "trigger", ins->onbuild.trigger);
		instruction(d, "child", ins->onbuild.child);
		return;
	case AST_RUN:
		run(d, &ins->run);
		return;
	case AST_MAINTAINER:
	case AST_STOPSIGNAL:
	case AST_USER:
		word(d, "word", ins->word);
		return;
	case AST_WORKDIR:
		word(d, "word", ins->workdir.path);
		word(d, "chown", ins->workdir.chown);
		return;
	}
}

static void instruction(struct dump *d, const char *key, const struct ast_instruction *ins)
{
	open_object(d, key);
	string(d, "instruction", slice_of(ast_keyword_name(ins->keyword)));
	number(d, "line", (int64_t)ins->first_line);
	if (ins->last_line != ins->first_line)
		number(d, "end_line", (int64_t)ins->last_line);
	if (ins->checks.count)
		words(d, "checks", &ins->checks);
	body(d, ins);
	close_level(d, "}");
}

static void instructions(struct dump *d, const char *key, const struct ast_instructions *list)
{
	open_list(d, key);
	for (size_t i = 0; i < list->count; i++)
		instruction(d, NULL, list->items[i]);
	close_level(d, "]");
}

static void tree(struct dump *d, const struct dockerfile *df)
{
	string(d, "escape", (struct slice){&df->escape, 1});
	word(d, "syntax", df->syntax);
	word(d, "check", df->check);
	if (df->trigger)
		instruction(d, "trigger", df->trigger);
	if (df->globals.count)
		instructions(d, "globals", &df->globals);
	open_list(d, "stages");
	for (size_t i = 0; i < df->nstages; i++) {
		open_object(d, NULL);
		number(d, "index", (int64_t)df->stages[i].index);
		string(d, "name", df->stages[i].name);
		if (df->stages[i].from)
			instruction(d, "from", df->stages[i].from);
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

	put(&d, "{");
	d.first[++d.depth] = true;
	tree(&d, df);
	close_level(&d, "}");
	put(&d, "\n");
}
