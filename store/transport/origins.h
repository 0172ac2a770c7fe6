/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which repository of a host has a blob, as far as we know from pulling and pushing: where a push
 * may mount from. A record per (host, digest) among the cache records, with a key of a domain of
 * its own: "origins 1\n" and repository paths, latest first. Losing one costs an upload.
 */
#ifndef BLD_STORE_TRANSPORT_ORIGINS_H
#define BLD_STORE_TRANSPORT_ORIGINS_H

#include "store/base/sha256.h"
#include "store/store.h"

#define ORIGINS_MAX 4 /* repositories remembered of one blob */

void origins_add(struct store *s, const char *host, const char *path, const struct digest *d);
/* A repository other than `path` on that host; owned, NULL when none is known. */
char *origins_find(struct store *s, const char *host, const char *path, const struct digest *d);

#endif
