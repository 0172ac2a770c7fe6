/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a parsed Dockerfile to what must be built: stages with their bases, which of them the target
 * needs, and the global ARG scope. No side effects: nothing is opened, pulled or run. Rules: S6,
 * S11.
 */
#ifndef BLD_BUILDER_PLAN_PLAN_H
#define BLD_BUILDER_PLAN_PLAN_H

#include <pthread.h>
#include <stdbool.h>

#include "builder/plan/scope.h"
#include "parser/dockerfile.h"
#include "store/base/err.h"
#include "store/base/strlist.h"
#include "store/oci/oci.h"

enum plan_base { PLAN_SCRATCH, PLAN_IMAGE, PLAN_STAGE, PLAN_CONTEXT };

/* Where COPY --from and RUN --mount from= point. */
enum plan_from_kind { PLAN_FROM_CONTEXT, PLAN_FROM_STAGE, PLAN_FROM_NAMED, PLAN_FROM_IMAGE };
struct plan_from {
	enum plan_from_kind kind;
	size_t stage;     /* PLAN_FROM_STAGE */
	const char *name; /* NAMED: context name, borrowed from context_names; IMAGE: reference as
			     written, borrowed from the plan */
};

struct plan_stage {
	const struct ast_stage *ast;
	char *title; /* name, or number as text; owned */
	enum plan_base base;
	size_t base_stage; /* PLAN_STAGE */
	char *base_name;   /* PLAN_IMAGE, PLAN_CONTEXT: expanded; owned */
	char *platform;    /* FROM --platform, expanded, or NULL; owned */
	char *builds_for;  /* its platform, normalised; owned */
	bool needed;
	bool spread;         /* triggers of its parent are looked at (planneeds.h) */
	unsigned first_step; /* number of its first instruction, counted over needed stages from 1;
				triggers of base images are not counted */
	size_t *deps; /* earlier stages that it starts from or reads; owned; grows until the first
			 stage is built (latefrom.h) */
	size_t ndeps;
	size_t cap_deps;
	struct word ahead; /* the first from= in it that names a later stage: a mistake once it is
			      needed; text borrowed from the file or fromrefs, ptr NULL: none */
	bool ahead_number; /* ... which may be a number */
	bool renewed;      /* built again because of --no-cache-filter (nocache.h) */
};

struct plan_opts {
	const char *const
		*targets;       /* stages as given, NULL = the last one; the last is the main one */
	size_t ntargets;        /* at least 1 */
	const char *first_from; /* instead of what the first FROM names, or NULL */
	const struct strlist *build_args;
	const struct strlist *context_names; /* names of --build-context */
	struct budget *budget;               /* outlives the plan; or NULL */
	const struct oci_platform *platform; /* of the result */
};

struct fromref_list;

struct plan {
	struct plan_stage *stages; /* owned; in file order, which is an order of dependencies */
	size_t nstages;
	size_t target;   /* the main one: the last of targets */
	size_t *targets; /* stages of the targets, in their order; owned */
	size_t ntargets;
	struct scope globals;          /* global ARGs and automatic platform ARGs */
	unsigned nsteps;               /* instructions in needed stages */
	struct fromref_list *fromrefs; /* from= words with variables (fromref.h), or NULL; owned */
	struct strlist names;          /* owned texts that plan_from borrows; behind `naming` */
	pthread_mutex_t naming;
};

/* Declare the automatic platform variables (S6) with the values of --build-arg, if there are any.
 */
void plan_automatic(const struct plan_opts *o, struct scope *globals);

int plan_make(
	const struct dockerfile *df, const struct plan_opts *o, struct plan *out, struct err **err);
void plan_clear(struct plan *p);
#define auto_plan CLEANUP(plan_clear)

/*
 * Resolve a from= word without variables (fromref_word) as seen from stage `self`. df: where it
 * stands, which may be a trigger of a base image. number_ok: COPY
 * --from takes stage numbers, mounts do not. Errors (forward reference, itself) point at the word.
 * Safe for several threads.
 *
 * ahead: where it is told that the word names a later stage that does not need this one, which then
 * is no error and leaves *out as it is; or NULL.
 */
int plan_resolve_from(struct plan *p, const struct dockerfile *df,
	const struct strlist *context_names, size_t self, const struct word *from, bool number_ok,
	struct plan_from *out, bool *ahead, struct err **err);

#endif
