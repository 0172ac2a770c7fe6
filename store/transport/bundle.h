/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The files of an archive (a tar, plain or compressed) by name: a table of contents over one
 * unlinked copy. Links inside the archive are followed; nothing is ever written under a name from
 * it.
 */
#ifndef BLD_STORE_TRANSPORT_BUNDLE_H
#define BLD_STORE_TRANSPORT_BUNDLE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/base/err.h"
#include "store/base/sha256.h"
#include "store/store.h"

#define BUNDLE_FILES_MAX 100000
#define BUNDLE_LINKS_MAX 8                     /* followed from one name */
#define BUNDLE_BYTES_MAX ((uint64_t)256 << 30) /* of all files */

struct bundle;
struct bundle_file {
	char *name; /* without "./" */
	char *link; /* another name of the archive, NULL for a file */
	int fd;     /* the bundle's */
	uint64_t off;
	uint64_t size;
	bool hashed; /* bundle_digest() has been here: digest is known */
	struct digest digest;
};

/* ERR_CONTEXT when it cannot be read, ERR_CORRUPT when it is no archive. */
struct bundle *bundle_open(struct store *s, const char *path, struct err **err);
void bundle_free(struct bundle *b);
/* NULL when there is none. Borrowed. */
const struct bundle_file *bundle_find(const struct bundle *b, const char *name);
/* SHA-256 of a file of the bundle; each is read once, however many images have it. */
int bundle_digest(
	struct bundle *b, const struct bundle_file *f, struct digest *out, struct err **err);

DEFINE_CLEANUP(struct bundle *, bundle_free);
#define auto_bundle CLEANUP(bundle_freep)

#endif
