/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bld build --explain: why a step missed the cache.
 *
 * A build that ran a step leaves, in one record of the cache, the steps of its stages with their
 * keys, and for the ones that ran the facts their keys were made of (explain_diff.h,
 * explain_past.h). The record is found by the Dockerfile and the context it was built with. The
 * next build that misses a step compares: the step is the one that stands at the same place of its
 * stage, with lines that were put in or taken out in between allowed for. Nothing is guessed from
 * times.
 *
 * A build whose steps are all in the cache reads and writes nothing for it.
 *
 * Values of ARG and ENV are kept where the result holds them anyway, in its history or
 * configuration; of ARGs of other stages and of names that promise a secret (lint_secret_name),
 * and of what is made of them, a digest is.
 *
 * The functions of a stage are called by the thread that builds it.
 */
#ifndef BLD_BUILDER_EXPLAIN_EXPLAIN_H
#define BLD_BUILDER_EXPLAIN_EXPLAIN_H

#include "builder/cache/keyparts.h"
#include "builder/explain/explain_diff.h"
#include "builder/job.h"

struct explain *explain_new(void);
void explain_free(struct explain *x);

/* The base of a stage is open, and none of its steps was built. */
void explain_opened(struct job *j, size_t stage);

/* Parts of the key of a step (keyparts.h) that need to know the build. */

/* The variables that a command sees. */
void explain_environment(
	struct keyparts *k, const struct job *j, const struct step *sp, const struct strlist *vars);
/* Without a part of the key. Files of a selection that are all known; id: the digest of the
 * selection. names: see explain_list.h. */
void explain_files(struct job *j, struct buf *facts, const char *prefix,
	const struct copy_selection *s, const struct digest *id, const char *const *names,
	size_t nnames);
/* What is at a path of a context; the digest is to be fed into what it returns. */
struct origin;
struct sha256 *explain_mount(struct keyparts *k, struct job *j, const char *prefix,
	const struct origin *o, const char *path);
/* The same of the stage or image (a state that is borrowed from the job) that the files of `prefix`
 * are of. */
struct sha256 *explain_origin(
	struct keyparts *k, const struct job *j, const char *prefix, const struct state *st);

/* A step has begun because it is not in the cache: emits EVENT_STEP_WHY when that was asked for.
 * key: NULL where it is not known yet. facts is taken. */
void explain_runs(
	struct job *j, const struct step *sp, const struct digest *key, struct buf *take_facts);
/* What was not known when it began. */
void explain_adds(struct job *j, const struct step *sp, struct buf *take_facts);
/* It is complete, or came from the cache. */
void explain_done(struct job *j, const struct step *sp, const struct digest *key);

/* At the end of a build, also of one that failed. */
void explain_save(struct job *j);

#endif
