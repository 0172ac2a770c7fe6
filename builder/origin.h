/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where COPY --from and RUN --mount from= read: the context, a named context, a stage, an image. A
 * stage or image is a state (its layers, its key); a context is a copy_root.
 */
#ifndef BLD_BUILDER_ORIGIN_H
#define BLD_BUILDER_ORIGIN_H

#include "builder/cache/record.h"
#include "builder/copy/copy.h"
#include "builder/job.h"

struct origin {
	struct state *state;           /* stage or image, else NULL; borrowed from the job */
	const struct context *context; /* else; borrowed */
	bool stage;   /* the state is of a stage: its key says how it was made, not what it holds */
	bool renewed; /* the state's key does not tell its content (nocache.h) */
};

/* Errors are not located yet. */
int origin_open(struct job *j, const struct plan_from *from, struct origin *out, struct err **err);
/* The root to select in. For a state this makes its merged tree. */
int origin_root(struct job *j, const struct origin *o, struct copy_root *out, struct err **err);
struct origin_cache *origin_cache_new(void);
void origin_cache_free(struct origin_cache *c);

/* What lies at `path` of a context, no pattern, as a layer of its own, for mounts: a directory's
 * contents at "/" or, where its mode or owner is not that of every other, in one like it; a file at
 * "/NAME". Found in the cache by content, else written. */
struct origin_layer {
	struct record record;
	struct digest content; /* digest of names, content and such a mode: what a key takes */
	char *inner;           /* path inside the layer; owned by the caller */
};
int origin_make_layer(struct job *j, const struct copy_root *root, const char *path,
	struct origin_layer *out, struct err **err);

/* What lies at `path` of a state, for a key: *dir = a directory's contents, else one file. The path
 * is taken as written, no pattern; it exists. Reads what is not known yet. */
int origin_content(struct job *j, const struct origin *o, const char *path, struct digest *out,
	bool *dir, struct err **err);

#endif
