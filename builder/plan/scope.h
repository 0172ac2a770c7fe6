/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables: which ARG and ENV a place in a Dockerfile sees (S5, S6). One ordered map serves
 * expansion and the environment of RUN; what an ARG put there is not in the image's configuration.
 */
#ifndef BLD_BUILDER_PLAN_SCOPE_H
#define BLD_BUILDER_PLAN_SCOPE_H

#include "builder/plan/budget.h"
#include "parser/arena.h"
#include "parser/dockerfile.h"
#include "parser/expand.h"
#include "store/base/err.h"
#include "store/base/strlist.h"

struct scope {
	struct strlist vars;   /* "K=V": ENV and ARG so far, the later one of a name wins */
	struct strlist args;   /* declared ARG names in order, once each */
	struct arena *arena;   /* of expansions; owned */
	struct budget *budget; /* of the build, counts what expansions make; borrowed, or NULL */
};

void scope_init(struct scope *s);
void scope_clear(struct scope *s);
/* The child of `FROM stage` starts with everything its parent declared. */
void scope_copy(struct scope *dst, const struct scope *src);

uint64_t scope_cost(const struct scope *s); /* bytes that a copy takes, about */

void scope_set(struct scope *s, const char *name, const char *value);
void scope_unset(struct scope *s, const char *name);
const char *scope_get(const struct scope *s, const char *name);
/* value == NULL: declared without a value. */
void scope_declare(struct scope *s, const char *name, const char *value);

/* Count n bytes that are kept of a word. ERR_LIMIT at the word. */
int scope_charge(const struct scope *s, uint64_t n, const struct dockerfile *df,
	const struct word *w, struct err **err);

/* Expand one raw word; the result is NUL-terminated, valid until scope_clear. NULL with an error at
 * the word. */
const char *scope_expand(
	struct scope *s, const struct dockerfile *df, const struct word *w, struct err **err);
/* The same with the quotes and $ of a heredoc body. */
int scope_expand_body(struct scope *s, const struct dockerfile *df, const struct ast_heredoc *h,
	struct slice *out, struct err **err);
/* Expand and split (EXPOSE). */
int scope_expand_split(struct scope *s, const struct dockerfile *df, const struct word *w,
	struct strlist *out, struct err **err);

/* HTTP_PROXY and the other nine names that are never declared. */
bool scope_is_proxy(const char *name);

#define auto_scope CLEANUP(scope_clear)

#endif
