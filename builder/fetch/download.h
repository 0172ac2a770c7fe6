/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file behind an http(s) URL. Its bytes are kept in the store, with what the server calls this
 * version of it (ETag, Last-Modified): the next time the server is only asked whether it has
 * changed. With a checksum that the kept bytes have, not even that.
 */
#ifndef BLD_BUILDER_FETCH_DOWNLOAD_H
#define BLD_BUILDER_FETCH_DOWNLOAD_H

#include <stdint.h>

#include "builder/fetch/fetchenv.h"
#include "store/base/err.h"
#include "store/base/sha256.h"

#define DOWNLOAD_MAX ((uint64_t)64 << 30) /* bytes of one file */

struct download {
	int fd; /* owned */
	uint64_t size;
	struct digest digest;
	int64_t mtime; /* Last-Modified, seconds; 0 = not said: the time of every build */
};

/* want: the digest it must have, or NULL. ERR_NET, ERR_AUTH, ERR_LIMIT; ERR_CORRUPT for another
 * digest. */
int download_get(const struct fetchenv *e, const char *url, const struct digest *want,
	struct download *out, struct err **err);
void download_clear(struct download *d);

/* scheme://host/path for messages: no user, no query; escaped, owned. */
char *download_shown(const char *url);

/* The last element of the URL's path, %XX decoded; owned; NULL when there is none. */
char *download_name(const char *url);

#endif
