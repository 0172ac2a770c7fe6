/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A layer as a file of bytes: the plain tar (blob, digest = diff ID: the truth), compressed for a
 * registry, or the plain tar with other times. What was made once is remembered by diff ID.
 */
#ifndef BLD_STORE_PACKED_H
#define BLD_STORE_PACKED_H

#include "store/oci/oci.h"
#include "store/store.h"
#include "store/compress/compress.h"

/* Is the layer here: plain tar, or a compressed blob it can be made from? 1, 0, -1. */
int packed_exists(struct store *s, const struct digest *diff_id, struct err **err);

/* The plain tar, opened for reading; made from a compressed blob when only that is here. */
int packed_tar(struct store *s, const struct digest *diff_id, uint64_t *size, struct err **err);

struct packed_how {
	struct layer_packing packing;
	unsigned threads; /* 0: one for each core */
	/* Told while a form is being made: `n` bytes of it can be read from fd (borrowed until the
	 * call of packed_layer ends). -1 ends it. May be NULL; not called for what is there
	 * already. */
	int (*grown)(void *ctx, int fd, uint64_t n, struct err **err);
	void *ctx;
};

/* The compressed form: makes it (deterministically) and remembers diff ID -> digest. LAYER_PLAIN
 * gives the tar itself. *out is filled with media type, digest and size. */
int packed_layer(struct store *s, const struct digest *diff_id, const struct packed_how *how,
	struct oci_descriptor *out, struct err **err);
/* Is it there already? 1 and *out is filled, 0, -1. */
int packed_known(struct store *s, const struct digest *diff_id, const struct layer_packing *p,
	struct oci_descriptor *out, struct err **err);
/* Remember that a pulled blob is a compressed form of diff_id. */
int packed_remember(struct store *s, const struct digest *diff_id, enum layer_compression c,
	const struct digest *blob, struct err **err);
/* The layer with its times changed (layer_retime); remembered. */
int packed_retimed(struct store *s, const struct digest *diff_id, int64_t seconds, bool set,
	struct digest *out, struct err **err);

#endif
