/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image names (S26): host/path:tag@digest, with Docker's defaults: host docker.io, library/, tag
 * latest when there is neither tag nor digest. Grammar and limits of the distribution reference: at
 * most 255 bytes of name, tag of 128.
 */
#ifndef BLD_STORE_REFERENCE_H
#define BLD_STORE_REFERENCE_H

#include <stdbool.h>

#include "store/base/err.h"
#include "store/base/sha256.h"

struct reference {
	char *host; /* "docker.io", "127.0.0.1:5000"; owned, all of them */
	char *path; /* "library/app" */
	char *tag;  /* NULL when only a digest is given */
	bool has_digest;
	struct digest digest;
};

int reference_parse(const char *text, struct reference *out, struct err **err); /* ERR_USAGE */
char *reference_text(
	const struct reference *r); /* full normalised name, owned: host/path:tag[@digest] */
char *reference_name(const struct reference *r); /* host/path, owned */
void reference_clear(struct reference *r);
#define auto_reference CLEANUP(reference_clear)

#endif
