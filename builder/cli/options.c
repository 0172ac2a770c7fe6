// SPDX-License-Identifier: Apache-2.0
/* The option parser: walks argv against a command's table and the common one. */
#include "builder/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builder/cli/foreign.h"
#include "parser/suggest.h"
#include "store/base/mem.h"

static const struct cli_option common[] = {
	{"root", 0, CLI_STRING, offsetof(struct cli, root), "DIR", "BLD_ROOT",
		"directory of the store"},
	{"help", 'h', CLI_FLAG, 0, NULL, NULL, "show this text"},
	{0},
};

const struct cli_option *cli_common_options(void)
{
	return common;
}

bool cli_bool(const char *text, bool *out)
{
	static const char *const yes[] = {"1", "t", "true", "y", "yes", "on"};
	static const char *const no[] = {"0", "f", "false", "n", "no", "off"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
			*out = strcasecmp(text, yes[i]) == 0;
			return true;
		}
	}
	return false;
}

/* A parse in progress. */
struct parse {
	struct cli *c;
	const struct cli_command *cmd;
	void *opts;
	int argc;
	char **argv;
	int i; /* index of the word being looked at */
	bool help;
	struct strlist given; /* names of options that were on the command line */
};

static const struct cli_option *options_find_in(
	const struct cli_option *t, const char *name, size_t len, char letter)
{
	for (; t && t->name; t++) {
		if (name ? strlen(t->name) == len && memcmp(t->name, name, len) == 0
			 : t->letter == letter)
			return t;
	}
	return NULL;
}

static size_t options_count(const struct cli_option *t)
{
	size_t n = 0;

	while (t && t[n].name)
		n++;
	return n;
}

/* "metadata" for "metadata-file" is near too, however many letters are missing. */
static const char *options_nearest(const struct cli_option *own, const char *word)
{
	size_t n = options_count(own), all = n + options_count(common);
	auto_free const char **names = mem_array(all, sizeof *names);

	for (size_t i = 0; i < all; i++)
		names[i] = i < n ? own[i].name : common[i - n].name;
	return suggest_nearest(slice_of(word), names, all);
}

static int options_unknown(
	const struct parse *p, const char *shown, const char *word, struct err **err)
{
	const char *advice = strcmp(p->cmd->name, "build") == 0 ? foreign_option(word) : NULL;
	const char *best = advice ? NULL : options_nearest(p->cmd->options, word);

	err_set(err, ERR_USAGE, "unknown option \"%s\"", shown);
	if (advice)
		return err_hint(err, "%s", advice);
	if (best)
		return err_hint(err, "did you mean \"--%s\"?", best);
	return err_hint(err, "\"bld%s%s --help\" lists the options", p->cmd->name[0] ? " " : "",
		p->cmd->name);
}

static void *target(const struct parse *p, const struct cli_option *o)
{
	return (char *)(o == &common[0] ? (void *)p->c : p->opts) + o->offset;
}

static bool takes_value(const struct cli_option *o)
{
	return o->kind == CLI_STRING || o->kind == CLI_CHOICE || o->kind == CLI_LIST ||
	       (o->kind == CLI_IGNORED && o->value);
}

static bool is_choice(const char *choices, const char *value)
{
	size_t len = strlen(value);

	for (const char *c = choices; *c;) {
		size_t n = strcspn(c, "|");

		if (n == len && memcmp(c, value, n) == 0)
			return true;
		c += n + (c[n] == '|');
	}
	return false;
}

static int check_choice(
	const struct cli_option *o, const char *source, const char *value, struct err **err)
{
	if (is_choice(o->value, value))
		return 0;
	err_set(err, ERR_USAGE, "%s: \"%s\" is not known", source, value);
	return err_hint(err, "it is one of %s", o->value);
}

/* source: "--tls-verify" or "$BLD_PROGRESS", for messages. value NULL: a bare flag. */
static int store_value(const struct parse *p, const struct cli_option *o, const char *source,
	const char *value, struct err **err)
{
	bool on = true;

	if (!takes_value(o) && o->kind != CLI_OPTIONAL && value && !cli_bool(value, &on))
		return err_set(
			err, ERR_USAGE, "%s: \"%s\" is neither true nor false", source, value);
	if (o->kind == CLI_CHOICE && check_choice(o, source, value, err) < 0)
		return -1;
	if (o->take)
		return o->take(p->opts, source, value ? value : "", err);
	switch (o->kind) {
	case CLI_FLAG:
		*(bool *)target(p, o) = on;
		break;
	case CLI_UNLESS:
		*(bool *)target(p, o) = !on;
		break;
	case CLI_BOOL:
		*(int *)target(p, o) = on;
		break;
	case CLI_OPTIONAL:
		*(const char **)target(p, o) = value ? value : "";
		break;
	case CLI_CHOICE:
	case CLI_STRING:
		*(const char **)target(p, o) = value;
		break;
	case CLI_LIST:
		strlist_add(target(p, o), value);
		break;
	case CLI_IGNORED:
		return o->value && strchr(o->value, '|') ? check_choice(o, source, value, err) : 0;
	}
	return 0;
}

/* inline_value: what followed "=" (or the letter), NULL = nothing. */
static int options_take(struct parse *p, const struct cli_option *o, const char *shown,
	const char *inline_value, struct err **err)
{
	const char *value = inline_value;

	if (o == &common[1]) {
		p->help = true;
		return 0;
	}
	if (takes_value(o) && !value) {
		if (p->i + 1 >= p->argc) {
			err_set(err, ERR_USAGE, "%s needs a value", shown);
			return err_hint(err, "%s %s: %s", shown, o->value, o->help);
		}
		value = p->argv[++p->i];
	}
	strlist_add(&p->given, o->name);
	return store_value(p, o, shown, value, err);
}

static int take_long(struct parse *p, const char *word, struct err **err)
{
	const char *name = word + 2, *eq = strchr(name, '=');
	size_t len = eq ? (size_t)(eq - name) : strlen(name);
	const struct cli_option *o = options_find_in(p->cmd->options, name, len, 0);
	auto_free char *plain = mem_strndup(name, len);
	auto_free char *shown = mem_printf("--%s", plain);

	if (!o)
		o = options_find_in(common, name, len, 0);
	if (!o)
		return options_unknown(p, shown, plain, err);
	return options_take(p, o, shown, eq ? eq + 1 : NULL, err);
}

static int take_letters(struct parse *p, const char *word, struct err **err)
{
	for (const char *l = word + 1; *l; l++) {
		const struct cli_option *o = options_find_in(p->cmd->options, NULL, 0, *l);
		char shown[3] = {'-', *l, 0};

		if (!o)
			o = options_find_in(common, NULL, 0, *l);
		if (!o)
			return options_unknown(p, l == word + 1 ? word : shown, word + 1, err);
		if (l[1] && (takes_value(o) || l[1] == '='))
			return options_take(p, o, shown, l + 1 + (l[1] == '='), err);
		if (options_take(p, o, shown, NULL, err) < 0)
			return -1;
	}
	return 0;
}

static int options_take_env(const struct parse *p, const struct cli_option *o, struct err **err)
{
	for (const char *e = o->env; *e;) {
		size_t n = strcspn(e, " ");
		auto_free char *name = mem_strndup(e, n);
		const char *value = getenv(name);

		if (value && *value) {
			auto_free char *source = mem_printf("$%s", name);

			return store_value(p, o, source, value, err);
		}
		e += n + (e[n] == ' ');
	}
	return 0;
}

static int take_all_env(const struct parse *p, const struct cli_option *t, struct err **err)
{
	for (; t && t->name; t++) {
		if (t->env && !strlist_has(&p->given, t->name) && options_take_env(p, t, err) < 0)
			return -1;
	}
	return 0;
}

static int check_operands(
	const struct cli_command *cmd, const struct strlist *operands, struct err **err)
{
	if (operands->n > cmd->max_operands) {
		err_set(err, ERR_USAGE, "unexpected argument \"%s\"",
			operands->v[cmd->max_operands]);
		return err_hint(err, "usage: bld %s [OPTION]...%s%s", cmd->name,
			cmd->operands[0] ? " " : "", cmd->operands);
	}
	if (operands->n < cmd->min_operands) {
		err_set(err, ERR_USAGE, "bld %s needs %s", cmd->name, cmd->operands);
		return err_hint(err, "%s", cmd->missing ? cmd->missing : "see --help");
	}
	return 0;
}

static int options_parse_words(struct parse *p, struct strlist *operands, struct err **err)
{
	bool rest = false;

	for (p->i = 0; p->i < p->argc; p->i++) {
		const char *w = p->argv[p->i];
		int r = 0;

		if (!rest && strcmp(w, "--") == 0) {
			rest = true;
		} else if (rest || w[0] != '-' || w[1] == '\0') {
			strlist_add(operands, w);
			rest = rest || p->cmd->stop_at_operand;
		} else {
			r = w[1] == '-' ? take_long(p, w, err) : take_letters(p, w, err);
		}
		if (r < 0)
			return -1;
		if (p->help)
			return 1;
	}
	return 0;
}

int cli_parse(struct cli *c, const struct cli_command *cmd, int argc, char **argv, void *opts,
	struct strlist *operands, struct err **err)
{
	struct parse p = {.c = c, .cmd = cmd, .opts = opts, .argc = argc, .argv = argv};
	int r;

	for (const struct cli_option *o = cmd->options; o && o->name; o++) {
		if (o->kind == CLI_BOOL)
			*(int *)target(&p, o) = -1;
	}
	r = options_parse_words(&p, operands, err);
	if (r == 0)
		r = take_all_env(&p, cmd->options, err);
	if (r == 0)
		r = check_operands(cmd, operands, err);
	strlist_clear(&p.given);
	return r;
}

void cli_clear_options(const struct cli_command *cmd, void *opts)
{
	for (const struct cli_option *o = cmd->options; o && o->name; o++) {
		if (o->kind == CLI_LIST) {
			void *list = (char *)opts + o->offset;

			strlist_clear(list);
		}
	}
}
