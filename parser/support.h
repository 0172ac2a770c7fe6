/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the language has and the builder cannot do yet, apart from flags (their table is in
 * flags.c). Private to parser/. Each is one line of the table in support.c: whoever teaches the
 * builder a feature turns that line to true.
 */
#ifndef BLD_PARSER_SUPPORT_H
#define BLD_PARSER_SUPPORT_H

#include "parser/build.h"

enum support {
	SUPPORT_MOUNT_BIND,
	SUPPORT_MOUNT_CACHE,
	SUPPORT_MOUNT_TMPFS,
	SUPPORT_MOUNT_SECRET,
	SUPPORT_MOUNT_SSH,
	SUPPORT_MOUNT_SEED,     /* from and source of a cache mount */
	SUPPORT_FROM_VARIABLE,  /* $ in COPY --from and in from= of a mount */
	SUPPORT_ONBUILD_FROM,   /* COPY --from and from= of a mount under ONBUILD */
	SUPPORT_SYMBOLIC_CHMOD, /* --chmod=u+x */
	SUPPORT_ADD_GIT,        /* a git repository as source of ADD */
};

/* Reports a use of what is not supported; true when it is. */
bool support_check(struct build *b, enum support feature, struct span span);

#endif
