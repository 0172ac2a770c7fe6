/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where an image comes from: a registry, an OCI layout in a directory or a tar, a docker-archive.
 * All give a manifest (or index) and blobs by digest; pull.c does the rest. A docker-archive has no
 * manifest: one is made for it when it is opened.
 */
#ifndef BLD_STORE_TRANSPORT_TRANSPORT_H
#define BLD_STORE_TRANSPORT_TRANSPORT_H

#include "store/oci/oci.h"
#include "store/store.h"
#include "store/transport/http.h"

struct transport;
struct transport_ops {
	/*
	 * Bytes of a manifest or index, at most OCI_MANIFEST_MAX, into an empty initialised buffer.
	 * want NULL: what the source's name stands for; else by digest, verified. *media_type
	 * owned, may stay NULL.
	 */
	int (*manifest)(struct transport *t, const struct digest *want, struct buf *body,
		char **media_type, struct err **err);
	/* All d->size bytes of a blob into the sink, from several threads at once. The digest is
	 * the caller's to check. */
	int (*blob)(struct transport *t, unsigned worker, const struct oci_descriptor *d,
		struct http_sink *sink, struct err **err);
	void (*close)(struct transport *t);
	/* Make image i of an archive that was opened for all of them the one that manifest(NULL),
	 * blob and names are about. */
	int (*select)(struct transport *t, size_t i, struct err **err);
};
/* Images of one archive, and manifests of one index and the indexes in it. */
#define TRANSPORT_IMAGES_MAX 1000

struct transport {
	const struct transport_ops *ops;
	char *label;          /* for messages; owned */
	struct strlist names; /* the image's names inside, as they stand there; may be empty */
	size_t nimages;       /* that select() knows; opened for all of them only */
	unsigned workers;
	bool remote;
	const char *host; /* remote: for remembering what lies where; borrowed from the transport */
	const char *path;
};

/* Beginning and end of what every one of them does. */
void transport_init(struct transport *t, const struct transport_ops *ops, char *take_label);
void transport_close(struct transport *t); /* also frees it */
/* A piece of a file as a blob, for the local ones. */
int transport_copy_file(
	int fd, uint64_t off, uint64_t size, struct http_sink *sink, struct err **err);
/* Do these name the same image? Equal as they stand, or as full normalised names. */
bool transport_same_name(const char *a, const char *b);

struct progress;
struct reference;

struct transport *transport_open_registry(
	const struct reference *ref, struct progress *p, struct err **err);
/* name NULL = the only image there is. */
struct transport *transport_open_oci_dir(const char *path, const char *name, struct err **err);
struct transport *transport_open_oci_archive(
	struct store *s, const char *path, const char *name, struct err **err);
struct transport *transport_open_docker_archive(
	struct store *s, const char *path, const char *name, struct err **err);

/*
 * For all its images: a directory that is an OCI layout, or an archive of either kind (one that is
 * both, as docker save writes it, is read as docker's, which has full names). No image is selected.
 * ERR_LIMIT: more than TRANSPORT_IMAGES_MAX of them.
 */
struct transport *transport_open_all(struct store *s, const char *path, struct err **err);
/* What it calls, with the files in hand; takes b, also on failure. */
struct bundle;
struct transport *transport_docker_archive_all(
	struct bundle *take_b, const char *shown, struct err **err);
struct transport *transport_oci_archive_all(
	struct bundle *take_b, const char *shown, struct err **err);
struct transport *transport_oci_dir_all(const char *path, struct err **err);

DEFINE_CLEANUP(struct transport *, transport_close);
#define auto_transport CLEANUP(transport_closep)

#endif
