/* SPDX-License-Identifier: Apache-2.0 */
/* What a transfer is told by its caller, and what it tells while it runs; what is written to
 * archives. */
#ifndef BLD_STORE_TRANSPORT_TRANSFEROPTS_H
#define BLD_STORE_TRANSPORT_TRANSFEROPTS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/base/sha256.h"
#include "store/compress/compress.h"

struct image;
struct oci_descriptor;
struct oci_platform;

#define TRANSFER_NO_RETRIES ((unsigned)-1)

enum transfer_event_kind {
	TRANSFER_BLOB_START, /* total = size, or 0 if unknown */
	TRANSFER_BLOB_PROGRESS,
	TRANSFER_BLOB_DONE,
	TRANSFER_BLOB_EXISTS,  /* nothing to do: it is there already */
	TRANSFER_BLOB_MOUNTED, /* push: mounted from another repository */
	TRANSFER_RETRY,        /* text says why and how long it waits */
	TRANSFER_NOTE,         /* text says what the caller should know, and did not ask for */
	TRANSFER_MANIFEST,
};
struct transfer_event {
	enum transfer_event_kind kind;
	struct digest digest;
	uint64_t done;
	uint64_t total;
	const char *text; /* printable; may be NULL */
};

/* Media types of what is pushed. Docker's know neither annotations nor zstd: the former are left
 * out, such layers become gzip; both are told (TRANSFER_NOTE). */
enum transfer_types {
	TRANSFER_TYPES_KEEP, /* those of the image */
	TRANSFER_TYPES_OCI,
	TRANSFER_TYPES_DOCKER,
	TRANSFER_TYPES_AUTO, /* those of the image; Docker's where a registry refuses OCI's */
};

struct transfer_opts {
	const struct oci_platform *platform; /* which manifest of an index; NULL = this machine's */
	const char *authfile;                /* NULL = the usual places */
	const char *cert_dir;                /* NULL = certs.d in the usual places */
	const char
		*allow_private; /* hosts, by commas, that may point to private addresses; or NULL */
	int tls_verify;         /* -1 = default (http allowed for loopback only), 0 = no, 1 = yes */
	unsigned retries;       /* 0 = default */
	unsigned retry_delay_ms; /* between them; 0 = growing */
	const char *user;        /* instead of what an authfile says; NULL = none */
	const char *password;
	/* For push and archives of OCI layout, of layers that the store has as plain tars; gzip is
	 * usual. */
	struct layer_packing packing;
	bool repack;               /* also layers that have another compressed form already */
	enum transfer_types types; /* of a push */
	/* May be called from several threads, one at a time. */
	void (*event)(void *ctx, const struct transfer_event *e);
	void *ctx;
	const atomic_int *cancelled; /* non-zero: stop with ERR_CANCELLED; may be NULL */
};

enum transfer_archive { TRANSFER_OCI_DIR, TRANSFER_OCI_ARCHIVE, TRANSFER_DOCKER_ARCHIVE };
/* What an archive gets: an image, or an index with all its images, whose descriptor's annotations
 * go to its entry in index.json. All borrowed. */
struct transfer_item {
	const struct image *image; /* or */
	const struct oci_descriptor *index;
	const char *name; /* inside, or NULL */
};

#endif
