/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN --mount, from words to sandbox mounts. Two phases: expand and feed the cache key, with
 * nothing opened; then, when the step really runs, open sources, cache directories and secrets.
 * Rules: S18.
 */
#ifndef BLD_BUILDER_RUN_RUNMOUNTS_H
#define BLD_BUILDER_RUN_RUNMOUNTS_H

#include "builder/cache/keyparts.h"
#include "builder/run/runmount.h"

int runmounts_expand(struct job *j, const struct step *sp, struct runmounts *out, struct err **err);
/* Parts of the key. What comes from a stage counts by the stage's key and the path, with nothing
 * opened; or, by_content and after runmounts_look(), by what lies there. */
void runmounts_parts(struct job *j, const struct runmounts *r, bool by_content, struct keyparts *k);
/* Does a mount read a stage? *renewed: one whose key does not tell its content (nocache.h). */
bool runmounts_reads_stage(const struct runmounts *r, bool *renewed);
/* Digests what the mounts read from stages. Errors are located. */
int runmounts_look(struct job *j, const struct step *sp, struct runmounts *r, struct err **err);
int runmounts_open(struct job *j, const struct step *sp, struct runmounts *r, struct err **err);
/* One more file in the sandbox that is no --mount (a heredoc script). Strings are borrowed. */
void runmounts_add_file(struct runmounts *r, const char *target, struct slice data, uint32_t mode);
/* What the mounts bring into the environment. */
void runmounts_add_env(const struct runmounts *r, struct strlist *env);
void runmounts_clear(struct runmounts *r);

#endif
