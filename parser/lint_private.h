/* SPDX-License-Identifier: Apache-2.0 */
/* One run of the rules. Private to parser/lint*.c. */
#ifndef BLD_PARSER_LINT_PRIVATE_H
#define BLD_PARSER_LINT_PRIVATE_H

#include "parser/lint.h"

/* --- configuration (lint_config.c) --- */

struct lint_names {
	bool all;
	struct slice *items;
	size_t count, cap;
};

struct lint_config {
	struct lint_names skip, experimental;
	bool error;
};

/* Adds what a value of "check=" says to a configuration. NULL, or what is wrong (in the arena). */
const char *lint_config_add(struct lint_config *c, struct slice value, struct arena *arena);
bool lint_config_allows(const struct lint_config *c, enum lint_rule rule);

/* --- a run (lint.c) --- */

struct lint {
	const struct dockerfile *df;
	const struct lint_opts *o;
	struct lint_result *out;
	struct arena *arena; /* out->arena */
	struct lint_config config;
};

/*
 * Report, unless the configuration of the file or of the instruction does not want it. ins: the
 * instruction whose comments count. NULL when it was not kept.
 */
struct diag *lint_report(struct lint *l, enum lint_rule rule, const struct ast_instruction *ins,
	struct span at, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* NULL is accepted for d. */
void lint_hint(struct lint *l, struct diag *d, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void lint_note(struct lint *l, struct diag *d, const char *text);

/* The line of a word is one of the directives of the file, which are comments too. */
bool lint_is_directive(const struct lint *l, const struct word *comment);

/* Whether the instruction's own configuration skips a rule. */
bool lint_allowed(const struct lint *l, enum lint_rule rule, const struct ast_instruction *ins);

/* Where a cut of an instruction's text is in the file; `other` when its lines were joined. */
struct span lint_span(const struct lint *l, struct slice cut, struct span other);

/* --- variables (lint_scope.c) --- */

#define LINT_VARS_MAX  2000 /* of a scope; with more of them every name may be set */
#define LINT_NAMES_MAX 500  /* looked at in one word */

struct lint_var {
	struct slice name;  /* NUL-terminated */
	struct slice value; /* ptr NULL: declared without a value */
	unsigned hash;      /* of the name */
	bool vague;         /* the value hangs on a base that is not known */
};

struct lint_scope {
	struct lint_var *vars;
	size_t count, cap;
	bool open;  /* the base is not known: it may set more */
	bool shell; /* a SHELL is in force */
	bool workdir;
};

void lint_scope_set(struct lint *l, struct lint_scope *s, struct slice name, struct slice value);
/* "K=V" */
void lint_scope_set_pair(struct lint *l, struct lint_scope *s, struct slice pair);
struct lint_var *lint_scope_find(const struct lint_scope *s, struct slice name);
void lint_scope_copy(struct lint *l, struct lint_scope *to, const struct lint_scope *from);

struct lint_expanded {
	bool ok; /* false: cannot be expanded */
	bool vague;
	struct slice text;   /* of LINT_WORD, LINT_HEREDOC */
	struct slice *words; /* of LINT_WORDS */
	size_t nwords;
	size_t matched;        /* names that are set, each once */
	struct slice only;     /* the last of them */
	struct slice *missing; /* names that are not, each once, without those that have a default
				  of their own as ${x:-y} */
	size_t nmissing, cap;
	size_t unset; /* as missing, with those */
};

enum lint_quotes { LINT_WORD, LINT_WORDS, LINT_HEREDOC };

void lint_scope_expand(struct lint *l, const struct lint_scope *s, struct slice raw,
	enum lint_quotes quotes, struct lint_expanded *out);

/* The use of a variable in a word, or the word. */
struct span lint_scope_use(const struct lint *l, const struct word *w, struct slice name);

/* The name nearest to one that is missing; NULL when none is near. */
const char *lint_scope_nearest(struct lint *l, const struct lint_scope *s, struct slice name);

/* The build argument of a name. */
bool lint_scope_build_arg(const struct lint *l, struct slice name, struct slice *value);

/* --- rules --- */

/* The shape of the text: names, casing, old forms. All stages, needed or not. */
void lint_rules_text(struct lint *l);
/* Uses of extensions. */
void lint_rules_extensions(struct lint *l);

/* The global ARGs: as they are given, and as if no --build-arg had been given. */
struct lint_globals {
	struct lint_scope given, defaults;
};
void lint_rules_globals(struct lint *l, struct lint_globals *g);
/* FROM of stage `index`; scopes: of the stages before it. Fills the one it starts with. */
void lint_rules_from(
	struct lint *l, const struct lint_globals *g, size_t index, struct lint_scope *scopes);
/* What follows a FROM. */
void lint_rules_stage(
	struct lint *l, const struct lint_globals *g, size_t index, struct lint_scope *scope);

#endif
