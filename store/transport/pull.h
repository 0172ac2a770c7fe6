/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image from a transport into the store. Layers in parallel, each in one pass: received bytes
 * are hashed and kept as the compressed blob, and beside that decompressed, hashed and kept as the
 * plain tar. Nothing is published before both hashes are known to be right.
 */
#ifndef BLD_STORE_TRANSPORT_PULL_H
#define BLD_STORE_TRANSPORT_PULL_H

#include "store/transport/progress.h"
#include "store/transport/transport.h"

#define PULL_INDEX_DEPTH 4 /* indexes from a name to the manifest of an image */

/* at: the manifest or index, NULL = what the transport's name stands for. Of an index the image for
 * the platform of the options. *out: descriptor of the image manifest; cleared by the caller.
 * ERR_CORRUPT, ERR_NET, ERR_AUTH, ERR_NOT_FOUND, ... */
int pull_image(struct store *s, struct transport *t, struct progress *p, const struct digest *at,
	struct oci_descriptor *out, struct err **err);

#endif
