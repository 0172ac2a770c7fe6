/* SPDX-License-Identifier: Apache-2.0 */
/* RUN --mount=type=secret and type=ssh: rows of mounttypes.c, see struct mounttype. */
#ifndef BLD_BUILDER_RUN_MOUNTSECRET_H
#define BLD_BUILDER_RUN_MOUNTSECRET_H

#include "builder/run/runmount.h"

int mountsecret_settle(
	const struct step *sp, struct runmount *m, const char *given, size_t nth, struct err **err);
int mountsecret_open(struct job *j, const struct step *sp, struct runmounts *r, struct runmount *m,
	struct sandbox_mount *out, struct err **err);
int mountsecret_settle_ssh(
	const struct step *sp, struct runmount *m, const char *given, size_t nth, struct err **err);
int mountsecret_open_ssh(struct job *j, const struct step *sp, struct runmounts *r,
	struct runmount *m, struct sandbox_mount *out, struct err **err);

#endif
