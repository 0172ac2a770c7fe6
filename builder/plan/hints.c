// SPDX-License-Identifier: Apache-2.0
/*
 * Adds to an error what the variables in its place were and where their values came from, and one
 * line of help. It works on the rendered text: notes go in front of a help line that is there.
 * Where a value was set is told from the file alone; what it does not set came from the base image.
 */
#include "builder/plan/hints.h"

#include <string.h>

#include "parser/ast.h"
#include "parser/suggest.h"
#include "store/base/buf.h"
#include "store/base/mem.h"

#define VARIABLES_MAX 8   /* told about in one error */
#define VALUE_SHOWN   120 /* bytes of a value */
#define KNOWN_MAX     500 /* names that a misspelt one is compared with */

struct hints {
	const struct scope *scope;
	const struct dockerfile *df;
	const struct ast_instruction *ins;
	struct span place;
	struct strlist told; /* variables */
	struct buf notes;
	struct buf help; /* one line without its end */
};

static bool hints_name_char(char c)
{
	return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* A pair that sets a literal name, in a list of instructions before `before`; the last one. */
static const struct ast_pair *find_pair(const struct ast_instructions *list,
	const struct ast_instruction *before, const char *name,
	const struct ast_instruction **where)
{
	const struct ast_pair *found = NULL;

	for (size_t i = 0; i < list->count && list->items[i] != before; i++) {
		const struct ast_instruction *ins = list->items[i];

		if (ins->keyword != AST_ARG && ins->keyword != AST_ENV)
			continue;
		for (size_t k = 0; k < ins->pairs.count; k++) {
			if (!slice_eq_str(ins->pairs.items[k].key.text, name))
				continue;
			found = &ins->pairs.items[k];
			*where = ins;
		}
	}
	return found;
}

/* The stage an instruction is in; NULL for globals, FROM lines and triggers. */
static const struct ast_stage *stage_of(
	const struct dockerfile *df, const struct ast_instruction *ins)
{
	for (size_t i = 0; i < df->nstages; i++)
		for (size_t k = 0; k < df->stages[i].body.count; k++)
			if (df->stages[i].body.items[k] == ins)
				return &df->stages[i];
	return NULL;
}

static const struct ast_stage *hints_parent_of(
	const struct dockerfile *df, const struct ast_stage *stage)
{
	if (!stage->from)
		return NULL;
	for (size_t i = stage->index; i-- > 0;)
		if (df->stages[i].name.ptr &&
			slice_eq(df->stages[i].name, stage->from->from.image.text))
			return &df->stages[i];
	return NULL;
}

static const struct ast_pair *find_setter(
	const struct hints *h, const char *name, const struct ast_instruction **where)
{
	const struct ast_stage *stage = stage_of(h->df, h->ins);
	const struct ast_instruction *before = h->ins;

	if (!stage)
		return find_pair(&h->df->globals, h->ins, name, where);
	for (; stage; stage = hints_parent_of(h->df, stage), before = NULL) {
		const struct ast_pair *p = find_pair(&stage->body, before, name, where);

		if (p)
			return p;
	}
	return NULL;
}

static bool hints_literal(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (strchr("$\"'\\`", text.ptr[i]))
			return false;
	return true;
}

static void note_place(struct hints *h, const struct ast_instruction *ins)
{
	buf_addf(&h->notes, "%s at ", ast_keyword_name(ins->keyword));
	buf_add_escaped(&h->notes, h->df->source.name.ptr, h->df->source.name.len, false);
	buf_addf(&h->notes, ":%zu", ins->first_line);
}

/* Where a value comes from, as far as the file tells. */
static void note_origin(struct hints *h, const char *name, const char *value)
{
	const struct ast_instruction *where = NULL, *global = NULL;
	const struct ast_pair *p = find_setter(h, name, &where);

	if (p && !p->value.text.ptr) {
		const struct ast_pair *g = find_pair(&h->df->globals, NULL, name, &global);

		if (g && g->value.text.ptr) {
			p = g;
			where = global;
		}
	}
	if (!p) {
		buf_adds(&h->notes, h->df->trigger || stage_of(h->df, h->ins)
					    ? ", from the base image"
					    : ", an automatic variable");
	} else if (p->value.text.ptr &&
		   (!hints_literal(p->value.text) || slice_eq_str(p->value.text, value))) {
		buf_adds(&h->notes, ", set by ");
		note_place(h, where);
	} else {
		bool automatic = strncmp(name, "TARGET", 6) == 0 || strncmp(name, "BUILD", 5) == 0;

		buf_adds(&h->notes, automatic && !p->value.text.ptr ? ", declared by "
								    : ", from --build-arg for ");
		note_place(h, where);
	}
}

static const char *near_to(struct slice word, const struct strlist *names)
{
	const char *known[KNOWN_MAX];
	size_t n = 0;

	for (; n < names->n && n < KNOWN_MAX; n++)
		known[n] = names->v[n];
	return n ? suggest_nearest(word, known, n) : NULL;
}

/* A variable with a name that is near; the names are kept in the list. */
static const char *hints_nearest(const struct hints *h, const char *name, struct strlist *names)
{
	for (size_t i = 0; i < h->scope->vars.n; i++) {
		const char *kv = h->scope->vars.v[i];

		strlist_add_take(names, mem_strndup(kv, strcspn(kv, "=")));
	}
	return near_to(slice_of(name), names);
}

/* The first line after the instruction in its stage that sets the name. */
static const struct ast_instruction *set_later(const struct hints *h, const char *name)
{
	const struct ast_stage *stage = stage_of(h->df, h->ins);
	const struct ast_instruction *where = NULL;
	struct ast_instructions rest;

	for (size_t i = 0; stage && i < stage->body.count; i++) {
		if (stage->body.items[i]->span.off <= h->ins->span.off)
			continue;
		rest = (struct ast_instructions){&stage->body.items[i], 1, 1};
		if (find_pair(&rest, NULL, name, &where))
			return where;
	}
	return NULL;
}

/* An ARG of any stage: FROM lines do not see it. */
static const struct ast_instruction *set_in_stage(const struct hints *h, const char *name)
{
	const struct ast_instruction *where = NULL;

	for (size_t i = 0; i < h->df->nstages; i++)
		if (find_pair(&h->df->stages[i].body, NULL, name, &where))
			return where;
	return NULL;
}

/* Why a variable has no value: the help line, unless there is one already. */
static void help_unset(struct hints *h, const char *name)
{
	auto_strlist struct strlist names = {0};
	const struct ast_instruction *where = NULL;
	const char *near;

	if (h->help.len)
		return;
	if (strlist_has(&h->scope->args, name)) {
		buf_addf(&h->help,
			"ARG %s has no default: give it one, or pass --build-arg %s=VALUE", name,
			name);
		return;
	}
	if (h->ins->keyword == AST_FROM) {
		where = set_in_stage(h, name);
		if (where) {
			buf_addf(&h->help,
				"FROM sees only the ARGs before the first FROM: move the %s of "
				"line %zu there",
				ast_keyword_name(where->keyword), where->first_line);
			return;
		}
	} else if (find_pair(&h->df->globals, NULL, name, &where)) {
		buf_addf(&h->help,
			"%s is declared only before the first FROM (line %zu): add ARG %s to this "
			"stage",
			name, where->first_line, name);
		return;
	} else if ((where = set_later(h, name))) {
		buf_addf(&h->help, "%s is used before it is set: move the %s of line %zu up", name,
			ast_keyword_name(where->keyword), where->first_line);
		return;
	}
	near = hints_nearest(h, name, &names);
	if (near)
		buf_addf(&h->help, "did you mean $%s?", near);
	else
		buf_addf(&h->help, "declare it with ARG %s=VALUE%s", name,
			h->ins->keyword == AST_FROM ? " before the first FROM" : "");
}

static void hints_variable(struct hints *h, struct slice text)
{
	auto_free char *name = mem_strndup(text.ptr, text.len);
	const char *value = scope_get(h->scope, name);
	size_t len = value ? strlen(value) : 0;

	if (strlist_has(&h->told, name) || h->told.n == VARIABLES_MAX)
		return;
	strlist_add(&h->told, name);
	buf_addf(&h->notes, "   = $%s is ", name);
	if (value) {
		buf_addc(&h->notes, '"');
		buf_add_escaped(&h->notes, value, len < VALUE_SHOWN ? len : VALUE_SHOWN, false);
		buf_adds(&h->notes, len > VALUE_SHOWN ? "...\"" : "\"");
		note_origin(h, name, value);
	} else {
		buf_adds(&h->notes, "not set");
		help_unset(h, name);
	}
	buf_addc(&h->notes, '\n');
}

/* The variables of a raw word. What single quotes or the escape character protect is not one. */
static void raw(struct hints *h, struct slice text)
{
	char quote = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		size_t from;

		if (c == h->df->escape && quote != '\'') {
			i++;
			continue;
		}
		if (quote ? c == quote : c == '"' || c == '\'')
			quote = quote ? 0 : c;
		if (c != '$' || quote == '\'')
			continue;
		from = i + 1;
		if (from < text.len && text.ptr[from] == '{')
			from++;
		for (i = from; i < text.len && hints_name_char(text.ptr[i]); i++)
			;
		if (i > from && (text.ptr[from] < '0' || text.ptr[from] > '9'))
			hints_variable(h, slice_sub(text, from, i - from));
		i--;
	}
}

static void hints_word(struct hints *h, const struct word *w)
{
	if (w->text.ptr && w->span.off < h->place.off + h->place.len &&
		h->place.off < w->span.off + w->span.len)
		raw(h, w->text);
}

static void hints_words(struct hints *h, const struct word_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		hints_word(h, &list->items[i]);
}

/* A name that is no stage was taken for an image; a stage may have been meant. */
static void stage_name(struct hints *h, const struct word *w)
{
	auto_strlist struct strlist names = {0};
	const char *near;

	if (!w->text.ptr || w->span.off != h->place.off || h->help.len || slice_has(w->text, '$'))
		return;
	for (size_t i = 0; i < h->df->nstages; i++)
		if (h->df->stages[i].name.ptr && h->df->stages[i].from != h->ins)
			strlist_addf(&names, "%.*s", SLICE_ARG(h->df->stages[i].name));
	near = near_to(w->text, &names);
	if (near && !slice_eq_str(w->text, near))
		buf_addf(&h->help, "did you mean stage \"%s\"?", near);
}

static void hints_copy(struct hints *h, const struct ast_copy *c)
{
	stage_name(h, &c->from);
	hints_word(h, &c->from);
	hints_word(h, &c->chown);
	hints_word(h, &c->chmod);
	hints_word(h, &c->checksum);
	hints_words(h, &c->sources);
	hints_word(h, &c->dest);
}

static void hints_mount(struct hints *h, const struct ast_mount *m)
{
	const struct word *const all[] = {&m->target, &m->source, &m->from, &m->id, &m->sharing,
		&m->uid, &m->gid, &m->mode, &m->size, &m->env, &m->readonly, &m->readwrite,
		&m->required, &m->type_word};

	stage_name(h, &m->from);
	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		hints_word(h, all[i]);
}

static void hints_instruction(struct hints *h)
{
	const struct ast_instruction *ins = h->ins;

	switch (ins->keyword) {
	case AST_ADD:
	case AST_COPY:
		hints_copy(h, &ins->copy);
		return;
	case AST_ARG:
	case AST_ENV:
	case AST_LABEL:
		for (size_t i = 0; i < ins->pairs.count; i++) {
			hints_word(h, &ins->pairs.items[i].key);
			hints_word(h, &ins->pairs.items[i].value);
		}
		return;
	case AST_EXPOSE:
	case AST_VOLUME:
		hints_words(h, &ins->words);
		return;
	case AST_FROM:
		stage_name(h, &ins->from.image);
		hints_word(h, &ins->from.image);
		hints_word(h, &ins->from.platform);
		return;
	case AST_RUN:
		for (size_t i = 0; i < ins->run.nmounts; i++)
			hints_mount(h, &ins->run.mounts[i]);
		return;
	case AST_WORKDIR:
		hints_word(h, &ins->workdir.path);
		hints_word(h, &ins->workdir.chown);
		return;
	case AST_STOPSIGNAL:
	case AST_USER:
		hints_word(h, &ins->word);
		return;
	case AST_CMD:
	case AST_ENTRYPOINT:
	case AST_HEALTHCHECK:
	case AST_MAINTAINER:
	case AST_ONBUILD:
	case AST_SHELL:
		return;
	}
}

/* In front of a help line that is there already, which is more general. */
static void hints_put(struct hints *h, struct err **err)
{
	auto_err struct err *old = *err;
	const char *text = err_text(old);
	const char *there = strstr(text, "\n   = help: ");
	size_t head = there ? (size_t)(there - text) : strlen(text);

	while (head > 0 && text[head - 1] == '\n')
		head--;
	if (h->help.len)
		buf_addf(&h->notes, "   = help: %s\n", h->help.data);
	*err = NULL;
	err_set(err, err_get_kind(old), "%.*s\n%s%s", (int)head, text, h->notes.data,
		there ? there + 1 : "");
	err_place_set(err, h->place.off, h->place.len);
}

int hints_add(const struct scope *scope, const struct dockerfile *df,
	const struct ast_instruction *ins, struct err **err)
{
	struct hints h = {.scope = scope, .df = df, .ins = ins};

	if (!err || !*err || !err_place(*err, &h.place.off, &h.place.len))
		return -1;
	buf_init(&h.notes, BUF_TEXT_MAX);
	buf_init(&h.help, BUF_TEXT_MAX);
	hints_instruction(&h);
	if (h.notes.len || h.help.len)
		hints_put(&h, err);
	strlist_clear(&h.told);
	buf_clear(&h.notes);
	buf_clear(&h.help);
	return -1;
}

int hints_near_stage(const struct ast_stage *stages, size_t n, const char *word, struct err **err)
{
	auto_strlist struct strlist names = {0};

	for (size_t i = 0; i < n; i++)
		if (stages[i].name.ptr)
			strlist_addf(&names, "%.*s", SLICE_ARG(stages[i].name));
	const char *near = near_to(slice_of(word), &names);
	return near ? err_hint(err, "did you mean stage \"%s\"?", near) : -1;
}

int hints_near_context(const struct strlist *names, const char *word, struct err **err)
{
	auto_strlist struct strlist plain = {0};

	for (size_t i = 0; i < names->n; i++) {
		const char *mark = strstr(names->v[i], "::");

		strlist_add_take(
			&plain, mem_strndup(names->v[i],
					mark ? (size_t)(mark - names->v[i]) : strlen(names->v[i])));
	}
	const char *near = near_to(slice_of(word), &plain);
	return near && strcmp(near, word) != 0
		       ? err_hint(err, "did you mean --build-context \"%s\"?", near)
		       : -1;
}
