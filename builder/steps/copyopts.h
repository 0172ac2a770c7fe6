/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The flags of one COPY or ADD after expansion (S12): what they say, what they add to the key and
 * to the history. A flag that is not used adds nothing to the key.
 */
#ifndef BLD_BUILDER_STEPS_COPYOPTS_H
#define BLD_BUILDER_STEPS_COPYOPTS_H

#include "builder/cache/keyparts.h"
#include "builder/copy/copy.h"
#include "builder/state.h"
#include "builder/step.h"
#include "parser/filemode.h"
#include "store/base/buf.h"

struct copyopts {
	const struct ast_copy *ast;
	const char *chown;    /* NULL = not given */
	const char *chmod;    /* likewise */
	struct filemode mode; /* of chmod */
	bool link;            /* a layer on its own; never with chmod, as in BuildKit */
	bool parents;
	bool no_follow;
	bool keep_owner;
	struct ignore *exclude; /* or NULL; owned */
};

int copyopts_expand(const struct step *sp, struct copyopts *out, struct err **err);
void copyopts_clear(struct copyopts *o);

/* Parts of the key, behind everything else of the step. */
void copyopts_parts(const struct copyopts *o, struct keyparts *k);
/* " --chown=..." and so on. */
void copyopts_history(const struct copyopts *o, struct buf *b);
/* What is to be selected from the root, and how. */
void copyopts_request(const struct copyopts *o, struct copy_request *q);
/*
 * Owner and mode of what is copied. below: tree of the stage, an empty one with --link; it knows
 * the names of users.
 */
int copyopts_dest(const struct copyopts *o, const struct step *sp, const struct layer_tree *below,
	struct copy_dest *d, struct err **err);

#endif
