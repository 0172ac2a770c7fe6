/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of parser/lint.h with what a build knows: build arguments, platform, contexts, and the
 * configurations of base images that are in the store. Nothing is fetched.
 */
#ifndef BLD_BUILDER_LINT_LINTFILE_H
#define BLD_BUILDER_LINT_LINTFILE_H

#include "builder/input/context.h"
#include "parser/lint.h"
#include "store/base/strlist.h"
#include "store/oci/oci.h"

/* The build argument that takes the place of "# check=". */
#define LINTFILE_ARG "BUILDKIT_DOCKERFILE_CHECK"

/* What lint asks of a base image. */
struct lintfile_base {
	bool known;
	bool shell;
	struct strlist env;
	char *platform, *expected; /* only when they differ; owned */
};

/* want: the platform that was asked for. */
void lintfile_base_take(
	struct lintfile_base *b, const struct oci_config *c, const struct oci_platform *want);
void lintfile_base_clear(struct lintfile_base *b);

struct lintfile {
	const struct dockerfile *df;
	const struct context_set *contexts;
	const struct strlist *build_args;
	const struct oci_platform *platform;
	const bool *needed;                /* as in struct lint_opts */
	struct store *s;                   /* for images; NULL = bases says everything */
	const struct lintfile_base *bases; /* one per stage, or NULL */
	bool portable, certain;
};

/* lint_free() it. */
struct lint_result *lintfile_run(const struct lintfile *f);

/* The configuration of the check is wrong: -1 with an error at its place. */
int lintfile_check_config(const struct lint_result *r, struct err **err);

/* Findings where "error=true" is in force are an error of the Dockerfile: all findings rendered. */
int lintfile_check_errors(const struct lint_result *r, struct err **err);

#endif
