/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images between the store and the world: `docker://` registries (default), `oci:DIR[:NAME]`,
 * `oci-archive:FILE[:NAME]`, `docker-archive:FILE[:NAME]`.
 */
#ifndef BLD_STORE_TRANSPORT_TRANSFER_H
#define BLD_STORE_TRANSPORT_TRANSFER_H

#include "store/image.h"
#include "store/store.h"
#include "store/transport/transferopts.h"

/*
 * Bring an image into the store: resolve, manifest, configuration, layers in parallel; sizes,
 * digests and diff IDs verified while streaming. Blobs that are here are not fetched. Tags it under
 * `name` (full normalised name of the reference when NULL; oci:/archives: the name inside, or
 * none; "" = under none). *manifest is the image manifest chosen from an index.
 */
int transfer_pull(struct store *s, const char *source, const char *name,
	const struct transfer_opts *o, struct digest *manifest, struct err **err);
/*
 * All images of an archive (docker-archive or oci-archive, plain or compressed: it is found out) or
 * of a directory that is an OCI layout, each under all of its names inside. Of an index
 * opts->platform, or all of its images; of those that are not there, the others. loaded: what came,
 * also when it fails at a later one: full names, of an image without any its digest. ERR_LIMIT:
 * more than 1000 images, or names of one.
 */
int transfer_load(struct store *s, const char *path, const struct transfer_opts *o,
	struct strlist *loaded, struct err **err);
/* For tests. Only ask: digest of the manifest (or index) that `source` names now. Registry only. */
int transfer_resolve(
	const char *source, const struct transfer_opts *o, struct digest *out, struct err **err);
/* The manifest or index that `source` names, as it is, without anything it names. body: empty and
 * initialised. *media_type: as the source says, may stay NULL; owned by the caller. Not for
 * docker-archive, which has none. */
struct buf;
int transfer_document(struct store *s, const char *source, const struct transfer_opts *o,
	struct buf *body, char **media_type, struct err **err);
/*
 * Send an image. Layers without a compressed form get one (remembered). *manifest: digest as the
 * destination knows it, *size its bytes.
 */
int transfer_push(struct store *s, const struct image *i, const char *dest,
	const struct transfer_opts *o, struct digest *manifest, struct err **err);
/* Images into one local place whose path may hold any character. The same image with several names
 * is in it once. ERR_UNSUPPORTED: an index for a docker-archive. */
int transfer_write(struct store *s, const struct transfer_item *v, size_t n,
	enum transfer_archive kind, const char *path, const struct transfer_opts *o,
	struct err **err);
/* Send an index of the store to a registry, after all its images. *out: its digest there. */
int transfer_push_index(struct store *s, const struct digest *index, const char *dest,
	const struct transfer_opts *o, struct digest *out, struct err **err);
/* Does text name a transport other than a registry? ("oci:", "oci-archive:", "docker-archive:") */
bool transfer_is_local(const char *text);

/* login: check credentials against the registry, then store; logout: forget. ERR_AUTH,
 * ERR_NOT_FOUND. */
int transfer_login(const char *registry, const char *user, const char *password,
	const struct transfer_opts *o, struct err **err);
int transfer_logout(const char *registry, const struct transfer_opts *o, struct err **err);

#endif
