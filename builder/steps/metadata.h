/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Instructions that change nothing but the configuration and the variables: ARG, CMD, ENTRYPOINT,
 * ENV, EXPOSE, HEALTHCHECK, LABEL, MAINTAINER, ONBUILD, SHELL, STOPSIGNAL, USER, VOLUME. Rules
 * (docs/semantics.md): S5-S7, S14-S17.
 */
#ifndef BLD_BUILDER_STEPS_METADATA_H
#define BLD_BUILDER_STEPS_METADATA_H

#include "builder/job.h"

/* Apply and add the history entry. Not for ADD, COPY, FROM, RUN, WORKDIR. */
int metadata_apply(struct job *j, const struct step *sp, struct err **err);

/* argv of a command: exec form as it is, shell form behind SHELL. */
void metadata_command(const struct state *st, const struct ast_command *c, struct slice script,
	struct strlist *out);

#endif
