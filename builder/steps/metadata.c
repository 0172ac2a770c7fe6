// SPDX-License-Identifier: Apache-2.0
/*
 * Instructions that change the configuration only, one function for each; all but ONBUILD end in an
 * entry of history without a layer. In ENV and LABEL every word sees the variables from before the
 * line. The text that they keep is charged to the budget in the copies that are made of it.
 */
#include "builder/steps/metadata.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/image/history.h"
#include "builder/plan/dferr.h"
#include "builder/plan/ports.h"
#include "builder/plan/scope.h"
#include "builder/session.h"
#include "builder/state.h"
#include "builder/steps/dirstep.h"
#include "parser/ast.h"
#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/oci/oci.h"

#define EXPOSE_TEXT_MAX 1024 /* bytes of history; a range may be long */

static void metadata_note(const struct step *sp, const char *text)
{
	history_add(sp->st, text, true, HISTORY_NO_TIME);
}

static void metadata_replace(char **field, const char *value)
{
	free(*field);
	*field = mem_strdup(value);
}

static void words_of(const struct word_list *w, struct strlist *out)
{
	for (size_t i = 0; i < w->count; i++)
		strlist_add_take(out, mem_strndup(w->items[i].text.ptr, w->items[i].text.len));
}

void metadata_command(const struct state *st, const struct ast_command *c, struct slice script,
	struct strlist *out)
{
	auto_strlist struct strlist fallback = {0};

	strlist_clear(out);
	if (c->json) {
		words_of(&c->words, out);
		return;
	}
	strlist_copy(out, state_shell(st, &fallback));
	strlist_add_take(out, mem_strndup(script.ptr, script.len));
}

static int metadata_check_name(
	const struct step *sp, const struct ast_pair *p, const char *name, struct err **err)
{
	if (*name && !strchr(name, '='))
		return 0;
	return dferr_at(err, ERR_SYNTAX, sp->df, p->key.span, NULL,
		*name ? "a name cannot hold \"=\"" : "the name is empty after expansion");
}

/* S6: --build-arg, else the default, else the global of that name, else declared without a value.
 */
static int arg_value(struct job *j, const struct step *sp, const struct ast_pair *p,
	const char *name, const char **value, struct err **err)
{
	*value = strlist_get_kv(&j->session.build_args, name);
	session_use_arg(&j->session, name);
	if (*value)
		return 0;
	if (p->value.text.ptr) {
		*value = scope_expand(&sp->st->scope, sp->df, &p->value, err);
		return *value ? 0 : -1;
	}
	*value = scope_get(&j->plan.globals, name);
	return 0;
}

/* A pair goes to the variables, the configuration, history, and to a list on the way there. */
#define PAIR_COPIES 4

static int metadata_keep(const struct step *sp, const struct ast_pair *p, const char *name,
	const char *value, struct err **err)
{
	uint64_t n = strlen(name) + (value ? strlen(value) : 0) + BUDGET_ENTRY;

	return scope_charge(&sp->st->scope, PAIR_COPIES * n, sp->df,
		p->value.text.ptr ? &p->value : &p->key, err);
}

static int do_arg(struct job *j, const struct step *sp, struct err **err)
{
	auto_buf struct buf text = {0};

	buf_init(&text, BUF_TEXT_MAX);
	buf_adds(&text, "ARG");
	for (size_t i = 0; i < sp->ins->pairs.count; i++) {
		const struct ast_pair *p = &sp->ins->pairs.items[i];
		const char *name = scope_expand(&sp->st->scope, sp->df, &p->key, err);
		const char *value;
		if (!name || metadata_check_name(sp, p, name, err) < 0 ||
			arg_value(j, sp, p, name, &value, err) < 0 ||
			metadata_keep(sp, p, name, value, err) < 0)
			return -1;
		scope_declare(&sp->st->scope, name, value);
		buf_addf(&text, value ? " %s=%s" : " %s", name, value);
	}
	metadata_note(sp, text.data);
	return 0;
}

/* ENV and LABEL: every word sees the variables from before the line. */
static int do_pairs(const struct step *sp, struct strlist *into, bool vars, struct err **err)
{
	auto_strlist struct strlist set = {0};
	auto_buf struct buf text = {0};

	buf_init(&text, BUF_TEXT_MAX);
	buf_adds(&text, ast_keyword_name(sp->ins->keyword));
	for (size_t i = 0; i < sp->ins->pairs.count; i++) {
		const struct ast_pair *p = &sp->ins->pairs.items[i];
		const char *key = scope_expand(&sp->st->scope, sp->df, &p->key, err);
		const char *value =
			key ? scope_expand(&sp->st->scope, sp->df, &p->value, err) : NULL;
		if (!value)
			return -1;
		if (metadata_check_name(sp, p, key, err) < 0 ||
			metadata_keep(sp, p, key, value, err) < 0)
			return -1;
		strlist_set_kv(&set, key, value);
		buf_addf(&text, " %s=%s", key, value);
	}
	for (size_t i = 0; i < set.n; i++) {
		const char *value;
		auto_free char *name = strlist_split_kv(set.v[i], &value);

		strlist_set_kv(into, name, value);
		if (vars)
			scope_set(&sp->st->scope, name, value);
	}
	metadata_note(sp, text.data);
	return 0;
}

static int do_cmd(const struct step *sp)
{
	struct oci_config *c = &sp->st->config;

	metadata_command(sp->st, &sp->ins->command, sp->ins->command.text, &c->cmd.l);
	c->cmd.set = true;
	sp->st->cmd_set = true;
	auto_free char *words = history_words(&c->cmd.l);
	auto_free char *text = mem_printf("CMD %s", words);
	metadata_note(sp, text);
	return 0;
}

/* S16: an inherited CMD belongs to the inherited ENTRYPOINT and goes with it. */
static int do_entrypoint(const struct step *sp)
{
	struct oci_config *c = &sp->st->config;

	metadata_command(sp->st, &sp->ins->command, sp->ins->command.text, &c->entrypoint.l);
	c->entrypoint.set = c->entrypoint.l.n > 0;
	if (!sp->st->cmd_set) {
		strlist_clear(&c->cmd.l);
		c->cmd.set = false;
	}
	auto_free char *words = history_words(&c->entrypoint.l);
	auto_free char *text = mem_printf("ENTRYPOINT %s", words);
	metadata_note(sp, text);
	return 0;
}

static int add_ports(const struct step *sp, const char *word, struct buf *text, struct err **err)
{
	struct port_range r;

	if (ports_parse(word, &r, err) < 0)
		return -1;
	state_expose(sp->st, &r);
	for (unsigned p = r.from; p <= r.to && text->len < EXPOSE_TEXT_MAX; p++) {
		char name[PORT_NAME];

		ports_name(p, r.protocol, name);
		buf_addf(text, " %s", name);
	}
	return 0;
}

static int do_expose(const struct step *sp, struct err **err)
{
	auto_strlist struct strlist words = {0};
	auto_buf struct buf text = {0};

	buf_init(&text, BUF_TEXT_MAX);
	buf_adds(&text, "EXPOSE");
	for (size_t i = 0; i < sp->ins->words.count; i++) {
		const struct word *w = &sp->ins->words.items[i];
		strlist_clear(&words);
		if (scope_expand_split(&sp->st->scope, sp->df, w, &words, err) < 0)
			return -1;
		for (size_t k = 0; k < words.n; k++)
			if (add_ports(sp, words.v[k], &text, err) < 0)
				return dferr_locate(err, sp->df, w->span);
	}
	metadata_note(sp, text.data);
	return 0;
}

static int do_volume(struct job *j, const struct step *sp, struct err **err)
{
	auto_strlist struct strlist paths = {0};
	auto_buf struct buf text = {0};

	buf_init(&text, BUF_TEXT_MAX);
	buf_adds(&text, "VOLUME");
	for (size_t i = 0; i < sp->ins->words.count; i++) {
		const struct word *w = &sp->ins->words.items[i];
		const char *v = scope_expand(&sp->st->scope, sp->df, w, err);
		if (!v)
			return -1;
		v += strspn(v, " \t");
		auto_free char *trimmed = mem_strdup(v);
		for (size_t n = strlen(trimmed); n && strchr(" \t", trimmed[n - 1]); n--)
			trimmed[n - 1] = '\0';
		if (!*trimmed)
			return dferr_at(err, ERR_SYNTAX, sp->df, w->span, NULL,
				"the volume's path is empty");
		if (scope_charge(
			    &sp->st->scope, 2 * strlen(trimmed) + BUDGET_ENTRY, sp->df, w, err) < 0)
			return -1;
		oci_config_add_volume(&sp->st->config, trimmed);
		buf_addf(&text, " %s", trimmed);
		if (j->session.o->compat_volumes)
			strlist_add(&paths, trimmed);
	}
	if (paths.n)
		return dirstep_volumes(j, sp, &paths, text.data, err);
	metadata_note(sp, text.data);
	return 0;
}

static bool known_signal(const char *text)
{
	static const char *const names[] = {"HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "IOT",
		"BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT",
		"CHLD", "CLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ",
		"VTALRM", "PROF", "WINCH", "IO", "POLL", "PWR", "SYS", "RTMIN", "RTMAX"};
	char *end;
	long number = strtol(text, &end, 10);

	if (isdigit((unsigned char)*text) && !*end)
		return number >= 1 && number <= 64;
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcasecmp(text, names[i]) == 0)
			return true;
	bool from_min = strncasecmp(text, "RTMIN+", 6) == 0;
	if (from_min || strncasecmp(text, "RTMAX-", 6) == 0) {
		number = strtol(text + 6, &end, 10);
		return isdigit((unsigned char)text[6]) && !*end && number >= 1 &&
		       number <= (from_min ? 15 : 14);
	}
	return false;
}

static int do_word(
	const struct step *sp, char **field, bool (*valid)(const char *), struct err **err)
{
	const char *v = scope_expand(&sp->st->scope, sp->df, &sp->ins->word, err);

	if (!v)
		return -1;
	if (valid && !valid(v))
		return dferr_at(err, ERR_SYNTAX, sp->df, sp->ins->word.span,
			"a name such as SIGTERM, or a number from 1 to 64",
			"\"%s\" is not a signal", v);
	auto_free char *text = mem_printf("%s %s", ast_keyword_name(sp->ins->keyword), v);
	metadata_replace(field, v);
	metadata_note(sp, text);
	return 0;
}

static int do_maintainer(const struct step *sp)
{
	auto_free char *name = mem_strndup(sp->ins->word.text.ptr, sp->ins->word.text.len);
	auto_free char *text = mem_printf("MAINTAINER %s", name);

	metadata_replace(&sp->st->config.author, name);
	metadata_note(sp, text);
	return 0;
}

static int do_healthcheck(const struct step *sp)
{
	const struct ast_healthcheck *a = &sp->ins->healthcheck;
	struct oci_healthcheck *h = &sp->st->config.healthcheck;

	strlist_clear(&h->test);
	*h = (struct oci_healthcheck){
		.present = true,
		.interval_ns = a->interval_ns,
		.timeout_ns = a->timeout_ns,
		.start_period_ns = a->start_period_ns,
		.start_interval_ns = a->start_interval_ns,
		.retries = a->retries,
	};
	strlist_add(&h->test, a->none ? "NONE" : a->command.json ? "CMD" : "CMD-SHELL");
	if (!a->none && a->command.json)
		words_of(&a->command.words, &h->test);
	else if (!a->none)
		strlist_add_take(&h->test, mem_strndup(a->command.text.ptr, a->command.text.len));
	auto_free char *text = mem_printf("HEALTHCHECK %.*s", SLICE_ARG(sp->ins->rest));
	metadata_note(sp, text);
	return 0;
}

static int do_shell(const struct step *sp)
{
	struct oci_config *c = &sp->st->config;

	strlist_clear(&c->shell);
	words_of(&sp->ins->words, &c->shell);
	auto_free char *words = history_words(&c->shell);
	auto_free char *text = mem_printf("SHELL %s", words);
	metadata_note(sp, text);
	return 0;
}

/* History is of what was done, and a trigger is not, so far (S22). */
static int do_onbuild(const struct step *sp)
{
	struct slice t = sp->ins->onbuild.trigger;

	strlist_add_take(&sp->st->config.onbuild, mem_strndup(t.ptr, t.len));
	return 0;
}

int metadata_apply(struct job *j, const struct step *sp, struct err **err)
{
	struct oci_config *c = &sp->st->config;

	switch (sp->ins->keyword) {
	case AST_ARG:
		return do_arg(j, sp, err);
	case AST_CMD:
		return do_cmd(sp);
	case AST_ENTRYPOINT:
		return do_entrypoint(sp);
	case AST_ENV:
		return do_pairs(sp, &c->env, true, err);
	case AST_LABEL:
		return do_pairs(sp, &c->labels, false, err);
	case AST_EXPOSE:
		return do_expose(sp, err);
	case AST_HEALTHCHECK:
		return do_healthcheck(sp);
	case AST_MAINTAINER:
		return do_maintainer(sp);
	case AST_ONBUILD:
		return do_onbuild(sp);
	case AST_SHELL:
		return do_shell(sp);
	case AST_STOPSIGNAL:
		return do_word(sp, &c->stop_signal, known_signal, err);
	case AST_USER:
		return do_word(sp, &c->user, NULL, err);
	case AST_VOLUME:
		return do_volume(j, sp, err);
	case AST_ADD:
	case AST_COPY:
	case AST_FROM:
	case AST_RUN:
	case AST_WORKDIR:
		break;
	}
	return err_set(err, ERR_BUILD, "%s is not a metadata instruction",
		ast_keyword_name(sp->ins->keyword));
}
