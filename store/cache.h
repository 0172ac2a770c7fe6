/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache records: an opaque key -> a small opaque value (builder/cache/cachekey.c makes keys,
 * builder/cache/commit.c values). A record file carries its own checksum; a torn or damaged one
 * reads as missing. Also single-flight: whoever holds the lock of a key does the step, others wait
 * and look again.
 */
#ifndef BLD_STORE_CACHE_H
#define BLD_STORE_CACHE_H

#include <stdint.h>

#include "store/base/sha256.h"
#include "store/store.h"

#define CACHE_VALUE_MAX ((size_t)1 << 20)

/* 1 found (*value owned, NUL-terminated), 0 not, -1. Touches the record, for prune by age. */
int cache_find(
	struct store *s, const struct digest *key, char **value, size_t *len, struct err **err);
int cache_put(
	struct store *s, const struct digest *key, const void *value, size_t len, struct err **err);
/* The same of a key whose value changes with every use, without a look at the old one. */
int cache_replace(
	struct store *s, const struct digest *key, const void *value, size_t len, struct err **err);
int cache_drop(struct store *s, const struct digest *key);
/* Wait for and take the lock of a key. Returns a descriptor (close = unlock), -1. try_only:
 * EWOULDBLOCK without err. */
int cache_lock(struct store *s, const struct digest *key, bool try_only, struct err **err);
/* Call fn for every record; stops at -1. For gc, verify. A damaged record has value NULL. */
int cache_each(struct store *s,
	int (*fn)(void *ctx, const struct digest *key, const char *value, size_t len, int64_t used,
		struct err **err),
	void *ctx, struct err **err);

#endif
