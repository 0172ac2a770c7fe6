/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN --mount as data: one mount, those of a RUN, and what a type of them is. Rules: S18.
 */
#ifndef BLD_BUILDER_RUN_RUNMOUNT_H
#define BLD_BUILDER_RUN_RUNMOUNT_H

#include "builder/cache/lowers.h"
#include "builder/job.h"
#include "builder/origin.h"
#include "builder/run/cachemount.h"
#include "builder/sandbox/sandbox.h"
#include "builder/secrets/secrets.h"
#include "builder/secrets/sshproxy.h"
#include "parser/ast.h"

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
	bool has_mode;
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

struct runmounts {
	struct runmount *m; /* owned */
	size_t n;
	struct sandbox_mount *mounts; /* filled by runmounts_open; owned */
	size_t nmounts;
	struct strlist env;            /* secrets given as variables; wiped on clear */
	const struct secret **secrets; /* that the command was given; owned array */
	size_t nsecrets;
	struct {
		uint32_t uid, gid;
	} owner; /* the step's user, when a mount has U */
};

/* What a mount lies on in the image. */
enum mounttype_target {
	MOUNTTYPE_ON_EITHER, /* known when it is opened */
	MOUNTTYPE_ON_DIRECTORY,
	MOUNTTYPE_ON_FILE,
};

/*
 * One type: a row of the table in mounttypes.c. The functions are called in this order, find() and
 * what is before it for the key of the step, the rest when the step runs. NULL: nothing to do.
 * Errors of settle() and find() are located, those of the others are not yet, but may be.
 */
struct mounttype {
	bool readonly;     /* unless ro or rw says otherwise */
	bool source_is_id; /* source= names something outside, it is no path */
	bool id_in_key;    /* the command can tell one id from another */
	uint32_t mode;     /* of what is mounted, without mode= */
	enum mounttype_target on;
	/* A variable with the target of the first one, there or not, unless the step has it; or
	 * NULL. */
	const char *variable;
	/* Fills in the target and the id that were not written. `given`: target= as written, or
	 * NULL; m->target is made of it already. nth: mounts of the type before this one. */
	int (*settle)(const struct step *sp, struct runmount *m, const char *given, size_t nth,
		struct err **err);
	/* What it reads of other stages, images and contexts. */
	int (*find)(struct job *j, const struct step *sp, struct runmount *m, struct err **err);
	/* Once for all mounts of the type that a RUN has, before any is opened. */
	int (*prepare)(struct job *j, const struct step *sp, struct runmounts *r, struct err **err);
	/* Fills in `out`, which has what the words say: 1; or 0, nothing is to be mounted; or -1.
	 */
	int (*open)(struct job *j, const struct step *sp, struct runmounts *r, struct runmount *m,
		struct sandbox_mount *out, struct err **err);
};

#endif
