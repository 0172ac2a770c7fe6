/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COPY, ADD, WORKDIR, and VOLUME with --compat-volumes: instructions that yield layer entries. Two
 * looks at the cache for COPY
 * --from: first by the source stage's key and the paths, with nothing read, then by the content of
 * the selected files.
 */
#ifndef BLD_BUILDER_STEPS_COPYSTEP_H
#define BLD_BUILDER_STEPS_COPYSTEP_H

#include "builder/job.h"

int copystep_copy(struct job *j, const struct step *sp, struct err **err);
int copystep_workdir(struct job *j, const struct step *sp, struct err **err);

/* --compat-volumes: a layer with those of the directories that are missing, 0755 and root's.
 * Volumes lie below / whatever WORKDIR is. text: of history, where there is an entry in any case.
 */
int copystep_volumes(struct job *j, const struct step *sp, const struct strlist *volumes,
	const char *text, struct err **err);

/* `path` against `base`, lexically cleaned, absolute; owned (S8). */
char *copystep_join(const char *base, const char *path);

#endif
