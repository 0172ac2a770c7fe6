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

/* *out: descriptor of the image manifest; cleared by the caller. ERR_CORRUPT, ERR_NET, ERR_AUTH,
 * ERR_NOT_FOUND, ... */
int pull_image(struct store *s, struct transport *t, struct progress *p, struct oci_descriptor *out,
	struct err **err);

#endif
