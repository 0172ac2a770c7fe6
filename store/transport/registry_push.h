/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending to a registry. A blob goes up in one PUT; where a server or something in front of it
 * refuses that, or a large one broke, in pieces by PATCH, going on where the server says it is.
 */
#ifndef BLD_STORE_TRANSPORT_REGISTRY_PUSH_H
#define BLD_STORE_TRANSPORT_REGISTRY_PUSH_H

#include "store/transport/registry.h"

#define REGISTRY_PUSH_PIECE                                                                        \
	((uint64_t)16 << 20) /* bytes of one PATCH, when the server wants no more */
#define REGISTRY_PUSH_PIECE_MAX ((uint64_t)1 << 30) /* a larger minimum is not believed */

struct registry_push {
	int fd; /* the whole content, from offset 0 */
	uint64_t size;
	struct digest digest;
	const char *from; /* repository of the same host that has it, to mount from; may be NULL */
	void (*progress)(void *ctx, uint64_t sent); /* may go back after a break; may be NULL */
	void *ctx;
};

/* 1 / 0 / -1 */
int registry_push_has(
	struct registry *r, unsigned worker, const struct digest *d, struct err **err);
/* Make sure that the repository has it: 1 = mounted, 0 = sent, -1. */
int registry_push_blob(
	struct registry *r, unsigned worker, const struct registry_push *p, struct err **err);
/*
 * A blob that is still being made, in pieces as they come; so it needs no digest before its end.
 * 1 = the repository turned out to have it when it was made, 0 = sent, -1. What does not fill a
 * piece before it ends is not sent: REGISTRY_PUSH_LATER, and so are blobs for a server that refuses
 * pieces, once they are whole, and those whose making failed. progress and ctx as above.
 */
#define REGISTRY_PUSH_LATER 2
struct growing;
int registry_push_growing(struct registry *r, unsigned worker, struct growing *g,
	void (*progress)(void *ctx, uint64_t sent), void *ctx, struct err **err);
/* A manifest or an index. All borrowed. */
struct registry_document {
	const char *ref; /* a tag, or NULL for by digest */
	const void *bytes;
	size_t n;
	const char *media_type;
};
/* *refused (may be NULL) is set when that fails because the registry takes none of OCI's media
 * types, as far as its answer tells. */
int registry_push_manifest(
	struct registry *r, const struct registry_document *doc, bool *refused, struct err **err);

#endif
