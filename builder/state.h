/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image of a stage as far as it has come: configuration, layers, cache key, variables.
 */
#ifndef BLD_BUILDER_STATE_H
#define BLD_BUILDER_STATE_H

#include <pthread.h>
#include <stdbool.h>

#include "builder/cache/scratch.h"
#include "builder/plan/ports.h"
#include "builder/plan/scope.h"
#include "store/layerstack.h"
#include "store/lower.h"
#include "store/oci/oci.h"
#include "store/store.h"
#include "store/tar/times.h"
#include "store/tree/tree.h"

#define STATE_PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct state {
	struct oci_config config;
	struct oci_descriptor *base_layers; /* how the base's registry calls its layers; owned */
	/* What the steps left beside their layers (layerstack.h); the rest have nothing. Owned */
	struct digest *layer_times;
	size_t nlayer_times;
	size_t nbase; /* layers that are not of this build; they keep their times */
	size_t nbase_history;
	struct digest key; /* cache key of the last file-system step */
	struct scope scope;
	struct port_set *ports;    /* of config, for EXPOSE; NULL until one is met; owned */
	bool cmd_set;              /* a CMD was given in this stage (S16) */
	char *base_name;           /* full name of the image it began with, or NULL; owned */
	struct digest base_digest; /* of that image's manifest */
	/* Lowers of the first nlowered layers; those of empty layers are left out. Owned */
	struct lowers lowers;
	size_t nlowered;
	struct pending *pending; /* layers that are still being written; NULL until there is one */
	struct scratch ahead;    /* of the next RUN */
	struct layer_tree
		*tree; /* merged tree of the first tree_layers layers, made on demand; owned */
	size_t tree_layers;
	pthread_mutex_t
		growing; /* held while the tree is made: complete stages are read by others */
	bool open;       /* initialised */
};

void state_init(struct state *st); /* FROM scratch */
void state_clear(struct state *st);
/* Bytes of text that a copy takes, about. */
uint64_t state_cost(const struct state *st);
/* A stage that continues another one. */
void state_copy(struct state *dst, const struct state *src);

/* The next layer: its diff ID (zero: not known yet), and the times beside it, or NULL. */
void state_add_layer(struct state *st, const struct digest *diff_id, const struct digest *times);
/* All layers so far; borrowed, until the next one is added. */
struct layer_stack state_stack(const struct state *st);

/* The merged tree of all layers so far; borrowed, valid until the next layer is added. Contents of
 * files may be missing until the state is settled, those of the user data base are not. Safe for
 * several threads once no layer is added any more. */
const struct layer_tree *state_tree(struct state *st, struct store *s, struct err **err);

/* Until all diff IDs are known: layers may be written in the background (pending.h). The error is
 * that of the step that failed. */
int state_settle(struct state *st, struct err **err);

/* EXPOSE of a range. */
void state_expose(struct state *st, const struct port_range *r);
/* PATH for RUN and config when the base has none (S6). */
void state_default_path(struct state *st);
/* ENV of the configuration becomes variables. */
void state_inherit_env(struct state *st);
const char *state_workdir(const struct state *st); /* absolute, "/" when unset */
const char *state_user(const struct state *st);    /* "" when unset */
/* SHELL in force: argv words; borrowed. */
const struct strlist *state_shell(const struct state *st, struct strlist *fallback);

#define auto_state CLEANUP(state_clear)

#endif
