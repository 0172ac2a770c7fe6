/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers that are still being written while the stage goes on: one thread of the stage writes tars,
 * keeps directories and records, in the order of the steps. The stage's list of diff IDs has a
 * place for each, empty until it is settled; who needs the list settles it first.
 *
 * All calls are of the stage's own thread.
 */
#ifndef BLD_BUILDER_CACHE_PENDING_H
#define BLD_BUILDER_CACHE_PENDING_H

#include "builder/cache/flight.h"
#include "store/blob.h"
#include "store/layerstack.h"
#include "store/tree/freeze.h"

#define PENDING_MAX 4 /* layers in the making; the next step waits for the first of them */

struct pending; /* of one stage */

/* A step whose layer is not done. */
struct pending_layer {
	struct flight_rest rest;
	struct record record; /* all but the layer; its times are known */
	char temp[64];        /* in the store's tmp: the scratch directory with the upper */
	int tar_fd; /* what the stage's tree takes for the layer's tar; not ours, only its number */
	struct layer_freezing *freezing; /* owned */
	struct blob_writer *tar;         /* owned */
};

struct pending *pending_new(struct session *se);
/* Waits until all is over. NULL is accepted. */
void pending_free(struct pending *p);

/* Hand a layer over; its place is the next one on the stack, which the caller is about to add.
 * Never fails; what goes wrong is told by pending_settle. */
void pending_add(struct pending *p, const struct layer_stack *below, struct pending_layer *take);
bool pending_any(const struct pending *p); /* is there a diff ID that is not settled? */
/* Is what the tree reads from this descriptor not all written yet, as far as we know? */
bool pending_writes(const struct pending *p, int fd);
/* An upper that is a lower of later steps, but of no use for others: it goes when the stage does.
 */
void pending_keep(struct pending *p, const char *temp);
/* Wait, and fill in the diff IDs. -1 with the error of the first step that failed, placed. */
int pending_settle(struct pending *p, struct oci_config *c, struct err **err);

#endif
