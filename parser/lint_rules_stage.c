// SPDX-License-Identifier: Apache-2.0
/* Instructions of a stage, in order, with what their variables are. */
#include "parser/ast.h"
#include "parser/ignore.h"
#include "parser/lint_private.h"

/* Suggestions for more findings than anybody reads cost more than they help. */
#define SUGGESTIONS_MAX 100

/* --- undefined variables ------------------------------------------------------------------ */

struct walk {
	struct lint *l;
	const struct lint_globals *g;
	const struct ast_stage *stage;
	struct lint_scope *s;
	const struct ast_instruction *ins;
	size_t at; /* of ins in the stage */
	const struct ast_instruction *cmd, *entrypoint, *healthcheck;
};

static bool ends(struct slice s, const char *tail)
{
	struct slice t = slice_of(tail);

	return s.len >= t.len && slice_eq(slice_from(s, s.len - t.len), t);
}

/* What images of languages and tools usually set. */
static bool base_may_set(struct slice name)
{
	static const char *const tails[] = {
		"_VERSION", "_HOME", "_ROOT", "_PATH", "_DIR", "_PREFIX", "_SHA256", "_SHA512"};
	static const char *const names[] = {"GOPATH", "GOROOT", "LANG", "LC_ALL", "JAVA_OPTS",
		"PYTHONPATH", "PGDATA", "LD_LIBRARY_PATH", "NODE_ENV", "GOTOOLCHAIN", "TZ"};

	for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++)
		if (ends(name, tails[i]))
			return true;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_eq_str(name, names[i]))
			return true;
	return false;
}

/* The line that declares a name after its use; 0 = none. */
static size_t declared_later(const struct walk *w, struct slice name)
{
	for (size_t i = w->at; i < w->stage->body.count; i++) {
		const struct ast_instruction *ins = w->stage->body.items[i];

		if (ins->keyword != AST_ARG && ins->keyword != AST_ENV)
			continue;
		for (size_t k = 0; k < ins->pairs.count; k++)
			if (slice_eq(ins->pairs.items[k].key.text, name))
				return ins->first_line;
	}
	return 0;
}

static void lint_rules_stage_explain(struct walk *w, struct diag *d, struct slice name)
{
	size_t line;

	if (!d)
		return;
	line = declared_later(w, name);
	if (line == w->ins->first_line)
		lint_hint(w->l, d, "values of an instruction are seen by the ones after it");
	else if (line)
		lint_hint(w->l, d, "it is defined after its use, on line %zu", line);
	else if (lint_scope_find(&w->g->given, name))
		lint_hint(w->l, d,
			"it is declared outside of the stage only: add \"ARG %.*s\" after FROM",
			SLICE_ARG(name));
	if (w->s->open)
		lint_note(w->l, d, "the base image is not in the store: what it sets is not known");
}

static void lint_rules_stage_undefined(struct walk *w, const struct word *word, struct slice name)
{
	const char *near = NULL;

	if (w->s->open && (w->l->o->certain || base_may_set(name)))
		return;
	if (w->l->out->found < SUGGESTIONS_MAX)
		near = lint_scope_nearest(w->l, w->s, name);
	lint_rules_stage_explain(w,
		lint_report(w->l, LINT_UNDEFINED_VAR, w->ins, lint_scope_use(w->l, word, name),
			"Usage of undefined variable '$%.*s'%s%s%s", SLICE_ARG(name),
			near ? " (did you mean $" : "", near ? near : "", near ? "?)" : ""),
		name);
}

static void lint_rules_stage_expand(
	struct walk *w, const struct word *word, enum lint_quotes quotes, struct lint_expanded *out)
{
	lint_scope_expand(w->l, w->s, word->text, quotes, out);
	for (size_t i = 0; i < out->nmissing; i++)
		lint_rules_stage_undefined(w, word, out->missing[i]);
}

/* For its variables only. */
static void lint_rules_stage_check(struct walk *w, const struct word *word)
{
	struct lint_expanded e;

	if (word->text.ptr && slice_has(word->text, '$'))
		lint_rules_stage_expand(w, word, LINT_WORD, &e);
}

static void check_list(struct walk *w, const struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		lint_rules_stage_check(w, &list->items[i]);
}

/* --- ARG and ENV ------------------------------------------------------------------------------ */

static bool has_token(struct slice name, const char *const *tokens, size_t count)
{
	for (size_t at = 0; at <= name.len;) {
		size_t end = slice_find(name, '_', at);
		struct slice part = slice_sub(name, at, end - at);

		for (size_t i = 0; i < count; i++)
			if (slice_eq_nocase(part, tokens[i]))
				return true;
		at = end + 1;
	}
	return false;
}

/* A part between underscores names a secret, unless another says that it is a public one, a file
 * that holds it, or the version of a program. */
bool lint_secret_name(struct slice name)
{
	static const char *const secret[] = {"apikey", "auth", "credential", "credentials", "key",
		"password", "pword", "passwd", "secret", "token"};
	static const char *const harmless[] = {"public", "file", "version"};

	return has_token(name, secret, sizeof secret / sizeof secret[0]) &&
	       !has_token(name, harmless, sizeof harmless / sizeof harmless[0]);
}

static void check_secret(struct walk *w, const struct word *key, struct slice name)
{
	if (!lint_secret_name(name))
		return;
	lint_hint(w->l,
		lint_report(w->l, LINT_SECRETS, w->ins, key->span,
			"Do not use ARG or ENV instructions for sensitive data (%s \"%.*s\")",
			ast_keyword_name(w->ins->keyword), SLICE_ARG(name)),
		"use RUN --mount=type=secret: the value of ARG and ENV stays in the image");
}

static void set(struct walk *w, struct slice name, const struct lint_expanded *value)
{
	struct lint_var *v;

	lint_scope_set(w->l, w->s, name, value->text);
	if (!value->vague)
		return;
	v = lint_scope_find(w->s, name);
	if (v)
		v->vague = true;
}

static void arg(struct walk *w, const struct ast_pair *pair)
{
	struct lint_expanded key, value = {0};
	const struct lint_var *global;

	lint_rules_stage_expand(w, &pair->key, LINT_WORD, &key);
	check_secret(w, &pair->key, key.text);
	if (lint_scope_build_arg(w->l, key.text, &value.text)) {
		set(w, key.text, &value);
		return;
	}
	if (pair->value.text.ptr) {
		lint_rules_stage_expand(w, &pair->value, LINT_WORD, &value);
	} else {
		global = lint_scope_find(&w->g->given, key.text);
		if (global)
			value.text = global->value;
	}
	set(w, key.text, &value);
}

/* All of one instruction are expanded before the first is set. */
static void env(struct walk *w)
{
	const struct ast_pairs *p = &w->ins->pairs;
	struct lint_expanded *keys = arena_array(w->l->arena, p->count + 1, sizeof *keys);
	struct lint_expanded *values = arena_array(w->l->arena, p->count + 1, sizeof *values);

	for (size_t i = 0; i < p->count; i++) {
		lint_rules_stage_expand(w, &p->items[i].key, LINT_WORD, &keys[i]);
		lint_rules_stage_expand(w, &p->items[i].value, LINT_WORD, &values[i]);
		check_secret(w, &p->items[i].key, keys[i].text);
	}
	for (size_t i = 0; i < p->count; i++)
		set(w, keys[i].text, &values[i]);
}

static void label(struct walk *w)
{
	for (size_t i = 0; i < w->ins->pairs.count; i++) {
		lint_rules_stage_check(w, &w->ins->pairs.items[i].key);
		lint_rules_stage_check(w, &w->ins->pairs.items[i].value);
	}
}

/* --- RUN, COPY, ADD ------------------------------------------------------------------------- */

static void lint_rules_stage_run(struct walk *w)
{
	for (size_t i = 0; i < w->ins->run.nmounts; i++) {
		const struct ast_mount *m = &w->ins->run.mounts[i];
		const struct word *words[] = {&m->target, &m->source, &m->from, &m->id, &m->sharing,
			&m->uid, &m->gid, &m->mode, &m->size, &m->env, &m->readonly, &m->readwrite,
			&m->required, &m->type_word};

		for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
			lint_rules_stage_check(w, words[k]);
	}
}

/* "./a//b/" to "a/b", as the patterns of an ignore file see it. */
static struct slice lint_rules_stage_clean(struct walk *w, struct slice path)
{
	char *out = arena_alloc(w->l->arena, path.len + 1);
	size_t n = 0;

	for (size_t at = 0; at <= path.len;) {
		size_t end = slice_find(path, '/', at);
		struct slice part = slice_sub(path, at, end - at);

		at = end + 1;
		if (part.len == 0 || slice_eq_str(part, "."))
			continue;
		if (slice_eq_str(part, "..")) {
			while (n && out[n - 1] != '/')
				n--;
			n -= n > 0;
			continue;
		}
		if (n)
			out[n++] = '/';
		for (size_t i = 0; i < part.len; i++)
			out[n++] = part.ptr[i];
	}
	return (struct slice){out, n};
}

static void check_ignored(struct walk *w, const struct word *word)
{
	struct lint_expanded e;
	struct slice path;
	bool add = w->ins->keyword == AST_ADD;
	size_t line = 0;

	lint_scope_expand(w->l, w->s, word->text, LINT_WORD, &e);
	if (!e.ok || e.vague || (add && (ast_is_http_url(e.text) || ast_is_git_url(e.text))))
		return;
	path = lint_rules_stage_clean(w, e.text);
	if (path.len == 0 || !ignore_match(w->l->o->ignore, path, &line) ||
		ignore_may_contain(w->l->o->ignore, path))
		return;
	lint_hint(w->l,
		lint_report(w->l, LINT_COPY_IGNORED, w->ins, word->span,
			"Attempting to %s file \"%.*s\" that is excluded by .dockerignore",
			add ? "Add" : "Copy", SLICE_ARG(e.text)),
		"line %zu of the ignore file excludes it", line);
}

static void lint_rules_stage_copy(struct walk *w)
{
	const struct ast_copy *c = &w->ins->copy;
	const struct word *words[] = {&c->from, &c->chown, &c->chmod, &c->checksum, &c->dest};
	struct lint_expanded e;

	check_list(w, &c->sources);
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		lint_rules_stage_check(w, words[k]);
	for (size_t i = 0; i < c->inlines.count; i++) {
		const struct ast_heredoc *h = &c->inlines.items[i];
		struct word body = {h->body, h->body_span};

		if (h->expand)
			lint_rules_stage_expand(w, &body, LINT_HEREDOC, &e);
	}
	for (size_t i = 0; w->l->o->ignore && !c->from.text.ptr && i < c->sources.count; i++)
		check_ignored(w, &c->sources.items[i]);
}

/* --- the others ----------------------------------------------------------------------------- */

static void expose_port(struct walk *w, const struct word *word, struct slice port)
{
	size_t slash = port.len;

	for (size_t i = 0; i < port.len; i++)
		if (port.ptr[i] == '/')
			slash = i;
	for (size_t i = slash; i < port.len; i++)
		if (port.ptr[i] >= 'A' && port.ptr[i] <= 'Z') {
			lint_report(w->l, LINT_EXPOSE_CASING, w->ins, word->span,
				"Defined protocol '%.*s' in EXPOSE instruction should be lowercase",
				SLICE_ARG(port));
			break;
		}
	if (!slice_has(slice_sub(port, 0, slash), ':'))
		return;
	lint_hint(w->l,
		lint_report(w->l, LINT_EXPOSE_FORMAT, w->ins, word->span,
			"EXPOSE instruction should not define an IP address or host-port mapping, "
			"found '%.*s'",
			SLICE_ARG(port)),
		"the host's side is chosen when the container is started");
}

static void expose(struct walk *w)
{
	struct lint_expanded e;

	for (size_t i = 0; i < w->ins->words.count; i++) {
		lint_rules_stage_expand(w, &w->ins->words.items[i], LINT_WORDS, &e);
		for (size_t k = 0; k < e.nwords; k++)
			expose_port(w, &w->ins->words.items[i], e.words[k]);
	}
}

/* BuildKit looks at the first WORKDIR only: with that one repaired, the others are as well. That of
 * the base does not count, it may change. */
static void workdir(struct walk *w)
{
	const struct word *word = &w->ins->workdir.path;
	struct lint_expanded e;

	lint_rules_stage_check(w, &w->ins->workdir.chown);
	lint_rules_stage_expand(w, word, LINT_WORD, &e);
	if (e.ok && !w->s->workdir && !e.vague && !slice_starts(e.text, "/"))
		lint_report(w->l, LINT_RELATIVE_WORKDIR, w->ins, word->span,
			"Relative workdir \"%.*s\" can have unexpected results if the base image "
			"changes",
			SLICE_ARG(e.text));
	w->s->workdir = true;
}

/* The earlier one is reported: it is the one without effect. */
static void once(struct walk *w, const struct ast_instruction **last)
{
	const struct ast_instruction *old = *last;

	*last = w->ins;
	if (!old || !lint_allowed(w->l, LINT_MULTIPLE, w->ins))
		return;
	lint_hint(w->l,
		lint_report(w->l, LINT_MULTIPLE, old, old->keyword_span,
			"Multiple %s instructions should not be used in the same stage because "
			"only "
			"the last one will be used",
			ast_keyword_name(old->keyword)),
		"line %zu takes its place", w->ins->first_line);
}

/* What the parser says of a text that looks like a JSON list; NULL when it says nothing. */
static const struct diag *not_json(const struct walk *w)
{
	const struct diag_list *list = &w->l->df->diags;

	for (size_t i = 0; i < list->count; i++) {
		const struct diag *d = &list->items[i];

		if (d->severity == DIAG_WARNING && d->span.off >= w->ins->span.off &&
			d->span.off < w->ins->span.off + w->ins->span.len)
			return d;
	}
	return NULL;
}

static void lint_rules_stage_command(struct walk *w)
{
	const char *name = ast_keyword_name(w->ins->keyword);
	const struct diag *why = not_json(w);
	struct diag *d;

	once(w, w->ins->keyword == AST_CMD ? &w->cmd : &w->entrypoint);
	if (w->ins->command.json || (w->s->shell && !why))
		return;
	if (w->s->shell)
		d = lint_report(
			w->l, LINT_NOT_JSON, w->ins, why->span, "%.*s", SLICE_ARG(why->message));
	else
		d = lint_report(w->l, LINT_JSON_ARGS, w->ins, w->ins->keyword_span,
			"JSON arguments recommended for %s to prevent unintended behavior related "
			"to OS signals",
			name);
	if (why)
		lint_hint(w->l, d, "this is not valid JSON: %.*s", SLICE_ARG(why->hint));
	else
		lint_hint(w->l, d, "write %s [\"program\", \"argument\"]", name);
}

static void lint_rules_stage_instruction(struct walk *w)
{
	switch (w->ins->keyword) {
	case AST_ARG:
		for (size_t i = 0; i < w->ins->pairs.count; i++)
			arg(w, &w->ins->pairs.items[i]);
		break;
	case AST_ENV:
		env(w);
		break;
	case AST_LABEL:
		label(w);
		break;
	case AST_RUN:
		lint_rules_stage_run(w);
		break;
	case AST_ADD:
	case AST_COPY:
		lint_rules_stage_copy(w);
		break;
	case AST_EXPOSE:
		expose(w);
		break;
	case AST_WORKDIR:
		workdir(w);
		break;
	case AST_CMD:
	case AST_ENTRYPOINT:
		lint_rules_stage_command(w);
		break;
	case AST_HEALTHCHECK:
		once(w, &w->healthcheck);
		break;
	case AST_SHELL:
		w->s->shell = true;
		break;
	case AST_VOLUME:
		check_list(w, &w->ins->words);
		break;
	case AST_USER:
	case AST_STOPSIGNAL:
		lint_rules_stage_check(w, &w->ins->word);
		break;
	case AST_FROM:
	case AST_MAINTAINER:
	case AST_ONBUILD:
		break;
	}
}

void lint_rules_stage(
	struct lint *l, const struct lint_globals *g, size_t index, struct lint_scope *scope)
{
	struct walk w = {.l = l, .g = g, .stage = &l->df->stages[index], .s = scope};

	for (; w.at < w.stage->body.count; w.at++) {
		w.ins = w.stage->body.items[w.at];
		lint_rules_stage_instruction(&w);
	}
}
