/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which stage is built when: in the order of the file, or, with more than one job, each in a thread
 * of its own as soon as what it starts from and reads is complete. The first failure ends the
 * others. Of several failures the one that stands first in the file is reported.
 */
#ifndef BLD_BUILDER_STAGES_H
#define BLD_BUILDER_STAGES_H

#include "builder/job.h"

/* Build the stages that the plan needs, each by one call of build(j, stage, err). */
int stages_build(struct job *j, int (*build)(struct job *j, size_t stage, struct err **err),
	struct err **err);

/* Until an earlier stage is complete. What the plan knows of is complete before a stage starts;
 * this is for what triggers of a base image refer to. -1: it failed, or the build is to stop. */
int stages_wait(struct job *j, size_t stage, struct err **err);

/*
 * The base of a stage is known, with so many triggers: returns the number of the first one and the
 * number of the stage's own first step. Numbers depend on the file and the images only: when one
 * stage is built, triggers come in front of its lines; when several are, behind those of all
 * stages. May wait for the bases of earlier stages.
 */
int stages_number(struct job *j, size_t stage, unsigned ntriggers, unsigned *first_trigger,
	unsigned *first_step, struct err **err);

#endif
