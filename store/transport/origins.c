// SPDX-License-Identifier: Apache-2.0
/*
 * Where a blob has been seen, so that a push can ask the registry to take it from there instead of
 * sending it. The paths are records of the store's cache, the latest first. It is a hint: a wrong
 * one costs a refused mount, so nothing here is an error.
 */
#include "store/transport/origins.h"

#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/base/strlist.h"
#include "store/cache.h"

#define HEAD "origins 1\n"

static void origins_key_of(const char *host, const struct digest *d, struct digest *key)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_field_str(&h, "bld transport origins 1");
	sha256_field_str(&h, host);
	sha256_field(&h, d->b, sizeof d->b);
	sha256_final(&h, key);
}

/* Paths without host, one a line; anything unexpected reads as nothing. */
static void origins_load(struct store *s, const struct digest *key, struct strlist *paths)
{
	auto_free char *value = NULL;
	size_t len;

	if (cache_find(s, key, &value, &len, NULL) <= 0 || strncmp(value, HEAD, strlen(HEAD)) != 0)
		return;
	for (char *line = value + strlen(HEAD), *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		if (*line && paths->n < ORIGINS_MAX)
			strlist_add(paths, line);
	}
}

void origins_add(struct store *s, const char *host, const char *path, const struct digest *d)
{
	auto_strlist struct strlist paths = {0};
	auto_buf struct buf b;
	struct digest key;

	buf_init(&b, CACHE_VALUE_MAX);
	origins_key_of(host, d, &key);
	origins_load(s, &key, &paths);
	if (paths.n > 0 && strcmp(paths.v[0], path) == 0)
		return;
	buf_addf(&b, HEAD "%s\n", path);
	for (size_t i = 0; i < paths.n && i + 1 < ORIGINS_MAX; i++)
		if (strcmp(paths.v[i], path) != 0)
			buf_addf(&b, "%s\n", paths.v[i]);
	/* Only a hint: a full disk is noticed where it matters. */
	(void)!cache_put(s, &key, b.data, b.len, NULL);
}

char *origins_find(struct store *s, const char *host, const char *path, const struct digest *d)
{
	auto_strlist struct strlist paths = {0};
	struct digest key;

	origins_key_of(host, d, &key);
	origins_load(s, &key, &paths);
	for (size_t i = 0; i < paths.n; i++)
		if (strcmp(paths.v[i], path) != 0)
			return mem_strdup(paths.v[i]);
	return NULL;
}
