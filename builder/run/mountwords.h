/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One RUN --mount and its words: options are expanded with the variables of the stage and checked,
 * as far as that needs nothing opened. Rules: S18.
 */
#ifndef BLD_BUILDER_RUN_MOUNTWORDS_H
#define BLD_BUILDER_RUN_MOUNTWORDS_H

#include "builder/cache/lowers.h"
#include "builder/job.h"
#include "builder/origin.h"
#include "builder/run/cachemount.h"
#include "builder/secrets/sshproxy.h"

struct runmount {
	const struct ast_mount *ast;
	enum ast_mount_type type; /* that of ast, with its variables */
	char *target;       /* absolute; NULL: none (secret as variable only). Owned, like the other
			       strings */
	const char *source; /* expanded, "/" when not given; in the scope's arena */
	const char *id;
	const char *env;
	bool readonly;
	bool required;
	bool chown;  /* U: what is there becomes the user's */
	bool noexec; /* no program of it can be started */
	bool has_uid, has_gid, has_mode;
	uint32_t uid, gid, mode;
	uint64_t size;
	enum cachemount_sharing sharing;
	struct origin origin;
	struct origin_layer layer; /* bind from a context */
	struct digest content;     /* of a stage: what lies at source (runmounts_look) */
	bool content_dir;
	/* open */
	struct lowers lowers;
	int source_fd;
	int lock_fd;
	struct sshproxy *proxy; /* owned */
};

/* Fills in what options say; m->ast is set. nth_ssh: ssh mounts of the RUN before this one. Errors
 * are located. */
int mountwords_expand(const struct step *sp, struct runmount *m, size_t nth_ssh, struct err **err);

#endif
