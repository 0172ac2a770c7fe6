/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stack of layers as forms are made of it: the diff IDs, and beside each layer the times that the
 * step which made it left (store/tar/times.h). Two steps may leave the same layer with other
 * times, so forms are found by both.
 */
#ifndef BLD_STORE_LAYERSTACK_H
#define BLD_STORE_LAYERSTACK_H

#include "store/tar/times.h"
#include "store/store.h"

/* Borrowed, bottom first. */
struct layer_stack {
	const struct digest *diff_ids;
	const struct digest *times; /* of each: a blob, or zero; NULL: whole seconds everywhere */
	size_t n;
};

/* The first n layers of a stack. */
struct layer_stack layerstack_first(const struct layer_stack *k, size_t n);
/* Zero: the layer has whole seconds. */
const struct digest *layerstack_times(const struct layer_stack *k, size_t i);
/* The name of its forms: the chain ID, unless there are times. */
void layerstack_id(const struct layer_stack *k, struct digest *out);

/* Keep what the writer of a layer noted; zero when that is nothing. */
int layerstack_put_times(
	struct store *s, const struct layer_times *t, struct digest *out, struct err **err);
/* Read it again; empty of zero. The caller clears *out in any case. */
int layerstack_get_times(
	struct store *s, const struct digest *d, struct layer_times *out, struct err **err);

/* "sha256:HEX", and " sha256:HEX" of the times where there are any: a line of a form's record. */
#define LAYERSTACK_TEXT (2 * DIGEST_STRING)
const char *layerstack_text(const struct layer_stack *k, size_t i, char out[LAYERSTACK_TEXT]);
/* The other way round; text is cut in place. */
bool layerstack_parse(char *text, struct digest *diff_id, struct digest *times);

#endif
