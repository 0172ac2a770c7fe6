/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an error at a place of a Dockerfile leaves unsaid: which variables the word there holds,
 * their values and where those were set; why a variable is not set (a misspelt name, declared only
 * before the first FROM, set later); a stage whose name is near the image that was not found.
 */
#ifndef BLD_BUILDER_PLAN_HINTS_H
#define BLD_BUILDER_PLAN_HINTS_H

#include "builder/plan/scope.h"
#include "parser/dockerfile.h"
#include "store/base/err.h"

/*
 * Adds note and help lines to the error of an instruction.
 *
 * scope  the variables the instruction saw
 * df     where it stands; its text may be a trigger of the base image
 *
 * An error without a place in a word of the instruction (dferr.h) is left as it is. Always returns
 * -1.
 */
int hints_add(const struct scope *scope, const struct dockerfile *df,
	const struct ast_instruction *ins, struct err **err);

/* "did you mean" for a word that names no stage, of an error that has no help line. Always returns
 * -1. stages: n in a row. */
int hints_near_stage(const struct ast_stage *stages, size_t n, const char *word, struct err **err);

/* The same for a word that was taken for an image, and the names of --build-context. */
int hints_near_context(const struct strlist *names, const char *word, struct err **err);

#endif
