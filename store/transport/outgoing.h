/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image on its way out: its manifest as the destination will see it. Layers that the store has
 * only as plain tars get a compressed form (remembered by the store); when nothing changes, the
 * manifest is sent byte for byte.
 */
#ifndef BLD_STORE_TRANSPORT_OUTGOING_H
#define BLD_STORE_TRANSPORT_OUTGOING_H

#include "store/image.h"
#include "store/oci/oci.h"
#include "store/transport/progress.h"

enum outgoing_lost {
	OUTGOING_LOST_ANNOTATIONS = 1, /* are left out */
	OUTGOING_LOST_ZSTD = 2,        /* layers are gzip instead */
};

struct outgoing {
	struct store *s;
	const struct image *image;
	struct progress *p;
	struct layer_packing packing;
	bool by_digest;            /* to a registry under its digest, without a tag */
	bool repack;               /* also layers with another compressed form */
	enum transfer_types types; /* of the manifest that is sent; not AUTO */
	/* results */
	bool refused;  /* the registry wants no manifest of OCI's types */
	unsigned lost; /* enum outgoing_lost: what Docker's types cannot say */
	struct oci_manifest m;
	char *bytes; /* of the manifest; owned */
	size_t len;
	struct oci_descriptor d; /* of the manifest */
};

struct growing;
struct outgoing_sink {
	/* A blob that is ready, the configuration among them; with the number of the worker. */
	int (*blob)(void *ctx, unsigned worker, const struct oci_descriptor *d, struct err **err);
	/* A layer that is being compressed, known by its diff ID until it is whole. 0 = it is sent,
	 * 1 = `blob` shall have it when it is ready, -1. */
	int (*growing)(void *ctx, unsigned worker, const struct digest *diff_id, struct growing *g,
		struct err **err);
	void *ctx;
};

/*
 * Layers are prepared in parallel, on all cores together, and `sink` (may be NULL) gets each while
 * it is made or as soon as it is ready. A layer of which the registry keeps no copy (foreign) is
 * not sent.
 */
int outgoing_prepare(
	struct outgoing *o, unsigned workers, const struct outgoing_sink *sink, struct err **err);
void outgoing_clear(struct outgoing *o);

/* --- destinations --- */
struct reference;
int transport_to_registry(struct outgoing *o, const struct reference *ref, struct err **err);
/* An index whose images are there already. *refused: as of struct outgoing. */
int transport_index_to_registry(struct progress *p, const struct reference *ref, const char *bytes,
	size_t n, const char *media_type, bool *refused, struct err **err);
/* A manifest or an index and its name in an archive, which may be NULL. All borrowed. */
struct outgoing_name {
	const struct oci_descriptor *d;
	const char *name;
};
/* What a layout gets: blobs that lie in the store, and which of them its index.json names. */
struct outgoing_set {
	struct store *s;
	struct progress *p;
	const struct oci_descriptor **v; /* owned; what it points to is borrowed */
	size_t n;
	size_t cap;
	struct outgoing_name *tops; /* owned; each is one of v */
	size_t ntops;
	size_t tops_cap;
};
/* The blobs of an image that is prepared, and its manifest, added to the set. */
int outgoing_add(const struct outgoing *o, struct outgoing_set *set, struct err **err);
void outgoing_set_clear(struct outgoing_set *set);
int transport_to_oci_dir(const struct outgoing_set *set, const char *path, struct err **err);
/* The order of set->v changes. */
int transport_to_oci_archive(struct outgoing_set *set, const char *path, struct err **err);
/* Needs no preparation: it carries plain tars. The same image twice is one with two names. */
struct docker_image {
	const struct image *image;
	const char *name; /* NULL = none */
};
int transport_to_docker_archive(struct store *s, struct progress *p, const struct docker_image *v,
	size_t n, const char *path, struct err **err);

#endif
