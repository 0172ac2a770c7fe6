/* SPDX-License-Identifier: Apache-2.0 */
/* Instructions whose layer is directories: WORKDIR, and VOLUME with --compat-volumes. */
#ifndef BLD_BUILDER_STEPS_DIRSTEP_H
#define BLD_BUILDER_STEPS_DIRSTEP_H

#include "builder/job.h"

int dirstep_workdir(struct job *j, const struct step *sp, struct err **err);
/* A layer with those of the directories that are missing, 0755 and root's. Volumes lie below /
 * whatever WORKDIR is. text: of history, where there is an entry in any case. */
int dirstep_volumes(struct job *j, const struct step *sp, const struct strlist *volumes,
	const char *text, struct err **err);

#endif
