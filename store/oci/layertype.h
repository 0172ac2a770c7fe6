/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The media types of layers: image-spec's, Docker's counterparts, and those of layers of which
 * registries need not keep a copy ("non-distributable", "foreign").
 */
#ifndef BLD_STORE_OCI_LAYERTYPE_H
#define BLD_STORE_OCI_LAYERTYPE_H

#include <stdbool.h>

#include "store/compress/compress.h"

struct layertype {
	enum layer_compression compression;
	bool foreign;
	const char *oci;
	const char *docker; /* Docker's name, or NULL: its types do not know such a layer */
	const char *stray;  /* what some tools write for want of one, or NULL: only read */
};

/* The row that a media type belongs to, or NULL: it is none of a layer. */
const struct layertype *layertype_find(const char *media_type);
/* That of a layer that registries keep. */
const struct layertype *layertype_of(enum layer_compression c);
/* Is it one for which Docker's types have no counterpart, though as another compression they would?
 */
bool layertype_docker_lacks(const char *media_type);

#endif
