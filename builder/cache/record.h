/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cache remembers of a file-system step, as text lines (store/gc.c reads the first kind):
 *
 *	layer sha256:HEX
 *	created SECONDS
 *	times sha256:HEX	what the layer does not say of its files (layerstack.h), if anything
 *	key sha256:HEX		when this is a second way to a step: what later steps build on
 */
#ifndef BLD_BUILDER_CACHE_RECORD_H
#define BLD_BUILDER_CACHE_RECORD_H

#include <stdint.h>

#include "store/cache.h"

struct record {
	struct digest layer; /* diff ID */
	struct digest times; /* a blob, or zero */
	int64_t created;
	struct digest key; /* zero: none */
};

/* 1 found and its layer and times are in the store, 0 not, -1. */
int record_find(struct store *s, const struct digest *key, struct record *out, struct err **err);
int record_put(struct store *s, const struct digest *key, const struct record *r, struct err **err);

#endif
