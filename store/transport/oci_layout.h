/* SPDX-License-Identifier: Apache-2.0 */
/* An OCI image layout whose files may lie in a directory or in an archive: reading it, and its
 * index.json. */
#ifndef BLD_STORE_TRANSPORT_OCI_LAYOUT_H
#define BLD_STORE_TRANSPORT_OCI_LAYOUT_H

#include "store/transport/outgoing.h"
#include "store/transport/transport.h"

#define OCI_LAYOUT_FILE      "{\"imageLayoutVersion\":\"1.0.0\"}"
#define OCI_LAYOUT_INDEX_MAX ((size_t)16 << 20)

struct oci_layout_file {
	int fd;
	bool close; /* fd is the caller's to close */
	uint64_t off;
	uint64_t size;
};
struct oci_layout_ops {
	/* "index.json" or "blobs/sha256/HEX". ERR_NOT_FOUND. */
	int (*open)(void *ctx, const char *name, struct oci_layout_file *out, struct err **err);
	void (*free)(void *ctx);
};

/* name: as annotated in index.json, or "@sha256:..." of a manifest or index. Takes ctx (also on
 * failure) and label. */
struct transport *oci_layout_open(const struct oci_layout_ops *ops, void *take_ctx,
	char *take_label, const char *name, struct err **err);

/* The same for all that index.json has: transport_open_all(). */
struct transport *oci_layout_open_all(
	const struct oci_layout_ops *ops, void *take_ctx, char *take_label, struct err **err);

/*
 * index.json with more images: `old` (may be NULL) without what has one of their names, and at its
 * end the n of them, under their names (NULL = without name). Owned by the caller.
 */
char *oci_layout_index(const char *old, size_t old_len, const struct outgoing_name *v, size_t n,
	size_t *len, struct err **err);

#endif
