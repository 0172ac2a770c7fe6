// SPDX-License-Identifier: Apache-2.0
/*
 * What the cache knows of a step: lines of a word and a value. A record whose layer is no longer in
 * the store, or that cannot be read, is none. Unknown lines are passed over, so that an older bld
 * reads what a newer one wrote.
 */
#include "builder/cache/record.h"

#include <stdlib.h>
#include <string.h>

#include "store/base/buf.h"
#include "store/base/mem.h"
#include "store/blob.h"
#include "store/snapshot.h"

/* Text behind "NAME " at the start of a line, cut at its end into out; false when there is none. */
static bool line_value(const char *text, const char *name, char *out, size_t size)
{
	size_t nlen = strlen(name);

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL) {
		if (strncmp(p, name, nlen) != 0 || p[nlen] != ' ')
			continue;
		size_t len = strcspn(p + nlen + 1, "\n");
		if (len >= size)
			return false;
		memcpy(out, p + nlen + 1, len);
		out[len] = '\0';
		return true;
	}
	return false;
}

int record_find(struct store *s, const struct digest *key, struct record *out, struct err **err)
{
	auto_free char *value = NULL;
	char layer[DIGEST_STRING], alias[DIGEST_STRING], times[DIGEST_STRING], created[32];
	struct record r = {0};
	size_t len;
	int found = cache_find(s, key, &value, &len, err);

	if (found <= 0)
		return found;
	if (!line_value(value, "layer", layer, sizeof layer) ||
		sha256_parse_string(layer, &r.layer) < 0 ||
		!line_value(value, "created", created, sizeof created))
		return 0;
	r.created = strtoll(created, NULL, 10);
	if (line_value(value, "key", alias, sizeof alias) && sha256_parse_string(alias, &r.key) < 0)
		return 0;
	bool timed = line_value(value, "times", times, sizeof times);
	if (timed && sha256_parse_string(times, &r.times) < 0)
		return 0;
	found = snapshot_exists(s, &r.layer, err);
	if (found == 1 && timed)
		found = blob_exists(s, &r.times, NULL, err);
	if (found == 1)
		*out = r;
	return found;
}

int record_put(struct store *s, const struct digest *key, const struct record *r, struct err **err)
{
	char layer[DIGEST_STRING], other[DIGEST_STRING];
	auto_buf struct buf b = {0};

	buf_init(&b, BUF_TEXT_MAX);
	buf_addf(&b, "layer %s\ncreated %lld\n", sha256_string(&r->layer, layer),
		(long long)r->created);
	if (!sha256_is_zero(&r->times))
		buf_addf(&b, "times %s\n", sha256_string(&r->times, other));
	if (!sha256_is_zero(&r->key))
		buf_addf(&b, "key %s\n", sha256_string(&r->key, other));

	return cache_put(s, key, b.data, b.len, err);
}
